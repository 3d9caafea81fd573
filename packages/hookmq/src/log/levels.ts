export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const

/** From the least severe messages to none at all. */
export type LogLevel = (typeof logLevels)[number]

export const thresholds: Readonly<Record<LogLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50, silent: 100 }
