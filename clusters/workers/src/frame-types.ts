/** First byte of a frame, behind its length. */
export const HELLO = 1
/** All that the member has announced was sent. */
export const READY = 2
export const MESSAGE = 3
/** A PUBLISH packet as it is. */
export const PACKET = 4
export const ANNOUNCE = 5
export const ANNOUNCE_SHARED = 6
export const WITHDRAW = 7
export const WITHDRAW_SHARED = 8
export const RETAIN = 9
/** Asks for all retained messages. */
export const WANT_RETAINED = 10
export const RETAINED_END = 11
export const TELL = 12
export const REQUEST = 13
export const RESPONSE = 14
/** Asks for an ACK when all that was sent before is safe. */
export const SYNC = 15
/** With the numbers of receivers that were asked for. */
export const ACK = 16
/** The number of the next MESSAGE or RETAIN; those behind it count on. */
export const NUMBER = 17
