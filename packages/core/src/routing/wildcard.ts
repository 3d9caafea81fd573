/** Has a level that is `+` or `#`. The filter is valid, so these characters stand nowhere else. */
export function hasWildcard(filter: string): boolean {
  return filter.indexOf('#') !== -1 || filter.indexOf('+') !== -1
}
