/**
 * A refusal is a value, not an exception: what a hook, a limit or a check says instead of going on. One place
 * (channel/refuse.ts) turns it into what each protocol version gets.
 */
export class Refusal {
  /**
   * 'drop': not routed, acknowledged as usual. 'reject': acknowledged with the reason code. 'disconnect': the connection is closed
   * with the reason code.
   */
  readonly kind: 'drop' | 'reject' | 'disconnect'
  readonly reasonCode: number
  readonly reasonString: string | undefined
  /** Who said so, for logs: plugin and hook name, or a word of the core. */
  readonly by: string
  readonly serverReference: string | undefined

  constructor(
    kind: 'drop' | 'reject' | 'disconnect',
    reasonCode: number,
    by: string,
    reasonString?: string,
    serverReference?: string,
  ) {
    this.kind = kind
    this.reasonCode = reasonCode
    this.by = by
    this.reasonString = reasonString
    this.serverReference = serverReference
  }
}
