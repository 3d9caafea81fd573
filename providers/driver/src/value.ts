/**
 * What travels between the broker and a driver's process: a small model of values that each codec writes in its own way.
 *
 * A JavaScript string is *text*: bytes in UTF-8 on the other side (`bytes` in Python, `Binary` in Java). A Uint8Array is bytes as they are.
 * An integer is a number or a bigint, a Float is told apart from it, a plain array is a list, undefined and null are `undefined`.
 */
export type Value =
  | undefined
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Float
  | Atom
  | Tuple
  | CodePoints
  | Pairs
  | Opaque
  | readonly Value[]

/** A symbol. The three that have a type of their own in JavaScript never appear as one: true, false, undefined. */
export class Atom {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

export class Tuple {
  readonly elements: readonly Value[]

  constructor(...elements: readonly Value[]) {
    this.elements = elements
  }
}

/** A number with a fraction, also when it has none. */
export class Float {
  readonly value: number

  constructor(value: number) {
    this.value = value
  }
}

/** Text as a list of code points: what Python's str and Java's String are on the side of the broker. */
export class CodePoints {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** Something that only the other side understands. It never leaves the process that it comes from. */
export class Opaque {
  readonly description: string

  constructor(description: string) {
    this.description = description
  }
}

/**
 * A list of 2-tuples with a symbol as key, in the order of `keys`. `keys` is one of few constants (`shapes.ts`), so that a codec can send the values
 * alone where the other side knows the shape.
 */
export class Pairs {
  readonly keys: readonly string[]
  readonly values: readonly Value[]

  constructor(keys: readonly string[], values: readonly Value[]) {
    this.keys = keys
    this.values = values
  }
}
