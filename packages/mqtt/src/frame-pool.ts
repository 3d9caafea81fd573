import type { PublishFrame } from './frame.ts'

const noBytes = Buffer.alloc(0)
// One frame per depth of nesting, not per parser: a sink that writes into another parser gets the next one, and 20,000 idle
// connections have none.
const frames: PublishFrame[] = []
let depth = 0

/** Hands out the frame for one run of a parser; `giveBackFrame` must follow, in reverse order. */
export function takeFrame(buffer: Buffer): PublishFrame {
  let frame = frames[depth]
  if (frame === undefined) {
    frame = makeFrame()
    frames[depth] = frame
  }
  depth++
  frame.buffer = buffer
  return frame
}

export function giveBackFrame(frame: PublishFrame): void {
  depth--
  frame.buffer = noBytes
}

function makeFrame(): PublishFrame {
  return {
    buffer: noBytes,
    start: 0,
    end: 0,
    qos: 0,
    retain: false,
    dup: false,
    topicStart: 0,
    topicEnd: 0,
    packetId: 0,
    topicAlias: 0,
    propertiesStart: 0,
    propertiesEnd: 0,
    payloadStart: 0,
  }
}
