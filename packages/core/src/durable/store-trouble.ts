/** A message of the program's own that the store cannot take now. `STORE_DOWN`: nothing was done. `STORE_PENDING`: it is stored when that works again. */
export class StoreTrouble extends Error {
  override readonly name = 'StoreTrouble'
  readonly code: 'STORE_DOWN' | 'STORE_PENDING'

  constructor(code: 'STORE_DOWN' | 'STORE_PENDING', problem: string) {
    super(
      code === 'STORE_DOWN'
        ? `publish: refused, the store does not work at present (${problem}); try again when it does`
        : `publish: the message is not stored yet, the store does not work at present (${problem}); it is stored when that works again`,
    )
    this.code = code
  }
}
