/** What the doctor can find, by names that stay: people look them up, and scripts look for them. */

/** unreachable: nothing could be looked at. mistake: the provider, or its address, has to be changed. advice: it works, and could work better. */
export type Level = 'unreachable' | 'mistake' | 'advice'

interface Kind {
  readonly level: Level
  /** What to do. */
  readonly help: string
}

export const findingKinds = {
  'host-unknown': { level: 'unreachable', help: 'Look at the name of the host, or write its address.' },
  'nobody-listens': {
    level: 'unreachable',
    help: 'Start the provider, or look at the port. A provider in a container must listen on 0.0.0.0, and its port must be published.',
  },
  'no-connection': { level: 'unreachable', help: 'Look at the address, and whether a firewall is in between.' },
  'tls-server': { level: 'mistake', help: 'Write https:// in front of the address.' },
  'plain-server': {
    level: 'mistake',
    help: 'Write http:// in front of the address, or give the provider a certificate.',
  },
  'tls-failed': {
    level: 'mistake',
    help: 'The settings ssl.cacertfile, ssl.certfile, ssl.keyfile, ssl.verify and ssl.server_name_indication are those of exhook.conf; give them with --set.',
  },
  'no-http2-over-tls': {
    level: 'mistake',
    help: 'Have the provider offer h2 in ALPN, as each gRPC server does; a proxy in between may not.',
  },
  'http1-server': {
    level: 'mistake',
    help: 'Look at the port: gRPC needs HTTP/2. A proxy in between must pass HTTP/2 on.',
  },
  'not-http2': { level: 'mistake', help: 'Look at the port: this is some other service.' },
  'silent-server': {
    level: 'mistake',
    help: 'Look at the port, and whether the provider hangs: a gRPC server says which settings it has as soon as it is connected to.',
  },
  'not-grpc': { level: 'mistake', help: 'Look at the port: this server speaks HTTP/2, but not gRPC.' },
  'no-exhook-service': {
    level: 'mistake',
    help: 'Have the server offer emqx.exhook.v3.HookProvider or emqx.exhook.v2.HookProvider. The package in the .proto file counts.',
  },
  'only-v1': {
    level: 'mistake',
    help: 'Make the server anew from the .proto file of v2 or v3: v1 is of EMQX 4.3 and 4.4.',
  },
  'load-refused': {
    level: 'mistake',
    help: 'Look into the log of the provider; OnProviderLoaded must answer with a LoadedResponse.',
  },
  'slow-start': {
    level: 'mistake',
    help: 'Answer OnProviderLoaded before the work of starting is done, or start to listen when it is done. The broker asks again each auto_reconnect.',
  },
  'bad-loaded-response': { level: 'mistake', help: 'Answer OnProviderLoaded with LoadedResponse{hooks}.' },
  'unknown-hook': {
    level: 'mistake',
    help: 'One name that does not exist is enough: the whole provider is not loaded.',
  },
  'invalid-topic-filter': {
    level: 'mistake',
    help: 'A filter that is none matches nothing; + and # fill a whole level, and # is the last.',
  },
  'unimplemented-method': { level: 'mistake', help: 'Implement the method, or do not register its hook.' },
  'call-failed': {
    level: 'mistake',
    help: 'Look into the log of the provider. A call that fails is answered by failed_action.',
  },
  'no-answer': {
    level: 'mistake',
    help: 'Answer within request_timeout. What takes long does not belong into a call that somebody waits for.',
  },
  'connection-broken': {
    level: 'mistake',
    help: 'Look whether the provider dies, or a proxy in between cuts connections.',
  },
  'unreadable-answer': {
    level: 'mistake',
    help: 'Answer the calls that decide with a ValuedResponse, the others with EmptySuccess.',
  },
  'unknown-answer-type': { level: 'mistake', help: 'CONTINUE is 0, IGNORE is 1, STOP_AND_RETURN is 2.' },
  'wrong-value-kind': {
    level: 'mistake',
    help: 'client.authenticate and client.authorize take bool_result, message.publish takes message. Any other answer counts as IGNORE.',
  },
  'value-missing': {
    level: 'mistake',
    help: 'An answer without value counts as IGNORE; say IGNORE when that is what you mean.',
  },
  'invalid-topic': {
    level: 'mistake',
    help: 'Copy the message of the request, and change what is to be changed: what is left out becomes empty.',
  },
  'invalid-qos': { level: 'mistake', help: 'QoS is 0, 1 or 2.' },
  'compressed-answer': { level: 'mistake', help: 'Turn compression off: the broker did not ask for it.' },
  'answer-too-large': { level: 'mistake', help: 'Answer with less, or set max_reply_size.' },
  'too-many-pings': {
    level: 'mistake',
    help: 'Let the server take pings (in Go: keepalive.EnforcementPolicy; elsewhere GRPC_ARG_HTTP2_MAX_PING_STRIKES = 0).',
  },
  'too-few-threads': {
    level: 'mistake',
    help: 'Give the server more workers (Python: futures.ThreadPoolExecutor(max_workers=…) or grpc.aio; Java: an executor), or do not hold a lock while waiting.',
  },
  'stream-broken': {
    level: 'mistake',
    help: 'The first frame of HookStream.Exchange must be a hello; without one, calls go one by one.',
  },
  'qos-lost': {
    level: 'advice',
    help: 'Copy the message of the request, and change what is to be changed: QoS 0 was answered to a message of QoS 1.',
  },
  'lets-strangers-in': {
    level: 'advice',
    help: 'A client that names nobody and shows no password got a yes. Answer IGNORE where the broker is to decide.',
  },
  'no-hooks': { level: 'advice', help: 'It is loaded, and asked nothing. Register what it is to be asked.' },
  'duplicate-hook': { level: 'advice', help: 'The first one counts.' },
  'topics-ignored': {
    level: 'advice',
    help: 'Only message.* hooks have topics; this one is called whatever the topic is.',
  },
  'topics-never-sent': { level: 'advice', help: "Messages of $SYS/ are the broker's own and are sent to no provider." },
  'versions-differ': {
    level: 'advice',
    help: 'The broker takes v3; EMQX before 5.9 takes v2, and is told other hooks.',
  },
  'late-start': { level: 'advice', help: 'Events that come before OnProviderLoaded is answered are not sent.' },
  'slow-answers': {
    level: 'advice',
    help: 'Somebody waits for this call: each of these milliseconds is added to a connect or a publish.',
  },
  'pings-limited': {
    level: 'advice',
    help: 'That is the default of most gRPC servers, and good enough for HookMQ. EMQX pings each 60 seconds: for it, let the server take that.',
  },
  'unload-unanswered': {
    level: 'advice',
    help: 'Answer OnProviderUnloaded with EmptySuccess; the broker waits for it when it stops.',
  },
} as const satisfies Readonly<Record<string, Kind>>

export type FindingName = keyof typeof findingKinds

export interface Finding {
  readonly name: FindingName
  readonly level: Level
  /** What was seen, in a sentence without end. */
  readonly text: string
  readonly help: string
}

/** What was found so far; the same thing once, however often it is seen. */
export class Findings {
  readonly #all = new Map<string, Finding>()

  add(name: FindingName, text: string): void {
    const { level, help } = findingKinds[name]
    const key = `${name} ${text}`
    if (!this.#all.has(key)) this.#all.set(key, { name, level, text, help })
  }

  /** The worst first. */
  get all(): readonly Finding[] {
    const levels: readonly Level[] = ['unreachable', 'mistake', 'advice']
    return [...this.#all.values()].sort((one, other) => levels.indexOf(one.level) - levels.indexOf(other.level))
  }
}
