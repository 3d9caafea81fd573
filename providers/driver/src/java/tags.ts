/** The first byte of each value. The other end is sdk/java/driver, Tags.java. */
export const tag = {
  undefined: 0,
  true: 1,
  false: 2,
  /** 4 bytes. */
  int: 3,
  /** 8 bytes. */
  long: 4,
  /** Length, then two's complement, the highest byte first. */
  big: 5,
  /** 8 bytes. */
  double: 6,
  /** Length, then bytes. */
  binary: 7,
  /** Length, then UTF-8: a text that is a list of characters for the broker. */
  string: 8,
  /** Length, then UTF-8. */
  atom: 9,
  /** Number of an atom that was defined before. */
  knownAtom: 10,
  /** Number of elements, then these. */
  list: 11,
  tuple: 12,
  /** Number of a shape that was defined before, then the values of its keys. */
  shape: 13,
  /** Length, then a description in UTF-8. */
  opaque: 14,
  /** Length, then UTF-8. */
  text: 15,
  /** A tag of this and more is a number itself, less this. */
  small: 0x80,
} as const

/** The first byte of what goes to the process. */
export const request = { init: 0, deinit: 1, calls: 2, abandon: 3 } as const

/** The first byte of each thing that comes from the process. */
export const answer = { ok: 0, value: 1, failed: 2, hello: 3, ready: 4 } as const
