/** Keys of EMQX files that say nothing about this broker: accepted with a warning, so that such a file can be used. */
const ignored: readonly [pattern: RegExp, why: string][] = [
  [
    /^node\.(cookie|process_limit|max_ports|max_ets_tables|async_threads|global_gc_interval|fullsweep_after|crash_dump|backtrace_depth|dist_.*|ssl_dist_optfile)$/,
    'it tunes the Erlang machine',
  ],
  [/^(rpc|sysmon|os_mon|vm_mon)\./, 'it tunes the Erlang machine'],
  [
    /^listener\.[^.]+\.[^.]+\.(acceptors|active_n|buffer|recbuf|sndbuf|tune_buffer|high_watermark|reuseaddr|send_timeout_close)$/,
    'it tunes the sockets of the Erlang machine',
  ],
  [/^listener\.[^.]+\.[^.]+\.send_timeout$/, 'zone.external.send_timeout is for all listeners'],
  [
    /^listener\.[^.]+\.[^.]+\.(secure_renegotiate|reuse_sessions|honor_cipher_order|depth|dhfile)$/,
    'TLS has it as Node.js sets it',
  ],
  [/^log\.dir$/, 'log.file has the folder too'],
]

/** Why a key is accepted without being used; undefined when it is not one of those. */
export function ignoredBecause(key: string): string | undefined {
  return ignored.find(([pattern]) => pattern.test(key))?.[1]
}

/** More about a key that is not known. */
export function hintFor(key: string): string | undefined {
  if (/^zone\.(?!external\.)/.test(key)) return 'there is one zone, external'
  if (/^listener\.[^.]+\.[^.]+\.zone$/.test(key)) return 'there is one zone, external, for all listeners'
  if (/^listener\.[^.]+\.[^.]+\.access\./.test(key)) return 'use {ipaddr, …} rules in acl_file, or a firewall'
  return undefined
}
