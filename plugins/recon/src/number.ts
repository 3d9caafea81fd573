/** A whole number of a command line. @returns undefined when it is none, or out of range */
export function number(text: string | undefined, absent: number, least: number, most: number): number | undefined {
  if (text === undefined) return absent
  const value = Number(text)
  return /^\d+$/.test(text) && value >= least && value <= most ? value : undefined
}
