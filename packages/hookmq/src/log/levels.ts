export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const

/** From the least severe messages to none at all. */
export type LogLevel = (typeof logLevels)[number]
