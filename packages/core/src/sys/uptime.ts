/**
 * Milliseconds as `$SYS` shows them: always plural words, leading units that are zero left out. '9 seconds',
 * '1 hours, 0 minutes, 5 seconds', '2 days, 3 hours, 0 minutes, 1 seconds'. (EMQ leaves out the blank after 'days,'.)
 */
export function formatUptime(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  const parts: [value: number, unit: string][] = [
    [Math.floor(seconds / 86_400), 'days'],
    [Math.floor(seconds / 3600) % 24, 'hours'],
    [Math.floor(seconds / 60) % 60, 'minutes'],
    [seconds % 60, 'seconds'],
  ]
  const first = parts.findIndex(([value]) => value !== 0)
  return parts
    .slice(first === -1 ? 3 : first)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(', ')
}

/** 'YYYY-MM-DD HH:MM:SS' in local time. */
export function formatDatetime(milliseconds: number): string {
  const date = new Date(milliseconds)
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map(twoDigits).join('-')
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':')}`
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
