import type { ExplainStep, Explanation } from '@hookmq/api'
import type { Broker } from '../broker.ts'

/** Rehearses an access decision: every link of client.authorize is asked, nothing is published or subscribed. */
export async function explain(
  broker: Broker,
  clientId: string,
  action: 'publish' | 'subscribe',
  topic: string,
): Promise<Explanation> {
  const client = broker.sessions.get(clientId)?.client
  if (client === undefined) throw new Error(`there is no client '${clientId}'`)
  const steps: ExplainStep[] = []
  if (client.superuser) return { steps, result: 'allow', by: 'superuser' }
  const result = await broker.access.authorize({ client, action, topic, qos: 0, retain: false })
  return { steps, result: result.result, by: result.from }
}
