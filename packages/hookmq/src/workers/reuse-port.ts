/** Several processes can bind one port, and the system spreads connections over them. */
export const reusesPorts = ['linux', 'freebsd', 'dragonfly', 'sunos', 'aix'].includes(process.platform)
