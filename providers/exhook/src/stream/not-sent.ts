/** What becomes of an event that no provider gets, such as a message of the broker about itself. */
export const notSent: unique symbol = Symbol('not sent')
