/** @throws TypeError there is none */
export function requireSalt(scheme: string, salt: Uint8Array | string | undefined): Uint8Array | string {
  if (salt !== undefined) return salt
  throw new TypeError(`password_hash ${scheme} needs a salt beside the password, and there is none`)
}

/** @throws TypeError there is one */
export function refuseSalt(scheme: string, salt: Uint8Array | string | undefined): void {
  if (salt === undefined) return
  throw new TypeError(`password_hash ${scheme} uses no salt, and there is one beside the password`)
}
