/** How operators see one process of a broker: `hookmq@host` of `worker2` is `hookmq-worker2@host`. `member` '': there is only one. */
export function nodeOf(node: string, member: string): string {
  if (member === '') return node
  const [name, ...host] = node.split('@')
  return [`${name}-${member}`, ...host].join('@')
}
