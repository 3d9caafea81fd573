import type { Logger } from '@hookmq/api'
import type { CarrierFactory } from '../unary/provider.ts'
import { StreamTransport } from './stream-transport.ts'

/** Carries events over HookStream where a server has it. */
export function streamCarrier(log: Logger): CarrierFactory {
  return (transport, meta, settings) =>
    new StreamTransport(transport, {
      streams: Math.min(settings.streamConnections, settings.poolSize),
      meta,
      timeout: settings.requestTimeout,
      maxWaiting: settings.streamMaxWaiting,
      maxWaitingBytes: settings.streamMaxWaitingSize,
      ahead: settings.policy.notify === 'wait' ? 0 : settings.streamNotificationsAhead,
      maxFrameBytes: settings.maxReplySize,
      observe: (news) => {
        const fields = { server: settings.name, stream: news.place }
        if (news.what === 'open') log.info('exhook server: events go over a stream', fields)
        else if (news.what === 'unimplemented') log.debug('exhook server: it has no stream', fields)
        else if (news.code === 0) log.info('exhook server: it has closed its stream', fields)
        else log.warn('exhook server: its stream has ended', { ...fields, code: news.code, reason: news.details })
      },
    })
}
