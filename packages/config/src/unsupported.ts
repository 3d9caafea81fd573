interface Foreign {
  readonly keys: RegExp
  /** Only with this value; any other is an error. */
  readonly value?: RegExp
  readonly why: string
}

const erlang = 'it tunes the Erlang machine'
const oneZone = 'there is one zone, external'

/**
 * Keys of EMQX files that change nothing here: accepted with a warning, so that such a file can be used as it is. A key that
 * makes EMQX stricter is not among them, unless its value does not.
 */
const ignored: readonly Foreign[] = [
  {
    keys: /^node\.(cookie|process_limit|max_ports|max_ets_tables|async_threads|global_gc_interval|fullsweep_after|crash_dump|backtrace_depth|dist_.*|ssl_dist_optfile)$/,
    why: erlang,
  },
  { keys: /^(rpc|sysmon|os_mon|vm_mon)\./, why: erlang },
  {
    keys: /^listener\.[^.]+\.[^.]+\.(acceptors|active_n|buffer|recbuf|sndbuf|tune_buffer|high_watermark|reuseaddr|send_timeout_close)$/,
    why: 'it tunes the sockets of the Erlang machine',
  },
  { keys: /^listener\.[^.]+\.[^.]+\.send_timeout$/, why: 'zone.external.send_timeout is for all listeners' },
  {
    keys: /^listener\.[^.]+\.[^.]+\.(secure_renegotiate|reuse_sessions|honor_cipher_order|depth|dhfile)$/,
    why: 'TLS has it as Node.js sets it',
  },
  {
    keys: /^listener\.wss?\.[^.]+\.(verify_protocol_header|compress|deflate_opts\..*|idle_timeout|mqtt_piggyback|allow_origin_absence|check_origins)$/,
    why: 'WebSocket connections have it as they are',
  },
  { keys: /^listener\.wss?\.[^.]+\.check_origin_enable$/, value: /^(false|off)$/, why: 'origins are not checked' },
  {
    keys: /^listener\.[^.]+\.[^.]+\.access\.[^.]+$/,
    value: /^allow\s+all$/,
    why: 'all addresses are allowed without it',
  },
  { keys: /^(listener\.[^.]+\.[^.]+\.zone|zone\.(?!external\.)[^.]+\..*)$/, why: oneZone },
  {
    keys: /^zone\.external\.(enable_stats|force_gc_policy|force_shutdown_policy|mqueue_priorities|mqueue_default_priority|retry_interval|strict_mode)$/,
    why: 'there is nothing to set',
  },
  { keys: /^mqtt\.strict_mode$/, why: 'what MQTT forbids is always refused' },
  { keys: /^zone\.external\.(enable_acl|enable_ban)$/, why: 'it is always on' },
  { keys: /^(alarm|telemetry)\./, why: 'there is nothing to set' },
  {
    keys: /^broker\.(session_locking_strategy|shared_dispatch_ack_enabled|route_batch_clean|perf\..*)$/,
    why: 'there is nothing to set',
  },
  { keys: /^cluster\./, why: 'this broker runs by itself' },
  { keys: /^log\.dir$/, why: 'log.file has the folder too' },
  {
    keys: /^log\.(primary_log_level|chars_limit|max_depth|rotation|rotation\..*|size|[a-z]+\.file|single_line|[a-z]+_qlen|overload_kill.*|burst_limit.*|error_logger)$/,
    why: 'the log is one stream or file; log.level and log.file are for all of it',
  },
  { keys: /^modules\.loaded_file$/, why: 'modules are plugins, plugins.loaded_file names them' },
]

/** Why a key is accepted without being used; undefined when it is not one of those. */
export function ignoredBecause(key: string, value: string): string | undefined {
  return ignored.find((one) => one.keys.test(key) && (one.value === undefined || one.value.test(value)))?.why
}

/** What to do instead of a key that is not known. */
export function hintFor(key: string): string | undefined {
  if (/^listener\.[^.]+\.[^.]+\.access\./.test(key)) return 'use {ipaddr, …} rules in acl_file, or a firewall'
  if (/^listener\.[^.]+\.[^.]+\.rate_limit$/.test(key)) return 'use zone.external.rate_limit.conn_bytes_in'
  return undefined
}
