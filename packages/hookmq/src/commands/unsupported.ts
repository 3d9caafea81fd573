import type { Command } from '@hookmq/api'

/** Commands of EMQ and EMQX that mean nothing here, and what does the job instead. They are not in the help. */
const reasons: Readonly<Record<string, string>> = {
  bridges: 'there are no bridges between brokers; a plugin with a sink hook on message.publish can forward messages',
  rules: 'there is no rule engine; write a hook on message.publish',
  'rule-actions': 'there is no rule engine; write a hook on message.publish',
  resources: 'there is no rule engine; write a hook on message.publish',
  'resource-types': 'there is no rule engine; write a hook on message.publish',
  mnesia: "there is no Mnesia database; 'vm memory' and 'broker stats' show what the broker holds",
  observer: "there is no Erlang machine to observe; see 'vm' and 'hooks list'",
  telemetry: 'nothing is ever sent home',
  set: "settings are changed in etc/hookmq.conf; 'hookmq check-config' shows them, 'plugins reload' and a restart apply them",
  show: "'hookmq check-config' shows the settings",
  conf: "settings are changed in etc/hookmq.conf; 'hookmq check-config' shows them",
  pem_cache: 'certificates are read again on SIGHUP',
  traces: "see 'trace'",
  data: 'everything that the broker keeps is in its data folder; copy that while it is stopped',
  exclusive: 'there are no exclusive subscriptions',
  olp: 'there is no overload protection to switch; limits are settings of listeners and mqtt.*',
  rebalance: 'this broker does not form clusters',
  eviction: 'this broker does not form clusters',
  license: 'HookMQ is free software under the Apache License 2.0',
  ds: 'there is no such storage',
}

export function unsupportedCommands(): Command[] {
  return Object.entries(reasons).map(([name, reason]) => ({
    name,
    usage: [],
    run: () => ({
      lines: [`${name}: not in HookMQ: ${reason}.`],
      json: { error: 'not_supported', reason },
      exitCode: 1,
    }),
  }))
}
