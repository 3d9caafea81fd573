import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createBroker } from 'hookmq'

/** Files of settings as EMQ 2.0 users have them, comments and all: each loads under the name that EMQ has for the plugin, without a warning. */
const files: Record<string, string> = {
  'emq_auth_clientid.conf': `
    ##auth.client.$N.clientid = clientid
    ##auth.client.$N.password = passwd

    ## Examples
    ##auth.client.1.clientid = id
    ##auth.client.1.password = passwd
    auth.client.2.clientid = dev:devid
    auth.client.2.password = passwd2
`,
  'emq_auth_username.conf': `
    ##auth.user.$N.username = admin
    ##auth.user.$N.password = public

    ## Examples:
    auth.user.2.username = someone@example.org
    auth.user.2.password = public
    auth.username.test = public
`,
  'emq_mod_presence.conf': `
    ## Values: on | off
    module.presence = on

    module.presence.qos = 0
`,
  'emq_mod_retainer.conf': `
    ## disc: disc_copies, ram: ram_copies
    module.retainer.storage_type = ram

    module.retainer.max_message_num = 100000

    module.retainer.max_payload_size = 64KB

    ## Seconds, 0 = never
    module.retainer.expired_after = 0
`,
  'emq_mod_subscription.conf': `
    module.subscription.1.topic = $client/%c
    ## Qos of the subscription: 0 | 1 | 2
    module.subscription.1.qos = 1

    ##module.subscription.2.topic = $user/%u
    ##module.subscription.2.qos = 1

    ## Values: on | off
    module.subscription.backend = on
`,
  'emq_mod_rewrite.config': `
  [
    {emq_mod_rewrite, [
      {rules, [
        %% {rewrite, Topic, Re, Dest}

        %% Example: x/y/ -> z/y/
        %% {rewrite, "x/#", "^x/y/(.+)$", "z/y/$1"},

        %% {rewrite, "y/+/z/#", "^y/(.+)/z/(.+)$", "y/z/$2"}
      ]}
    ]}
  ].
`,
  'emq_recon.conf': `
    %% Garbage Collection: 10 minutes
    recon.gc_interval = 600
`,
  'emq_reloader.conf': `
  reloader.interval = 60

  reloader.logfile = log/reloader.log
`,
  'emq_dashboard.conf': `
    ## HTTP Listener
    dashboard.listener.http = 0
    dashboard.listener.http.acceptors = 2
    dashboard.listener.http.max_clients = 512

    ## HTTPS Listener
    ## dashboard.listener.https = 18084
    ## dashboard.listener.https.acceptors = 2
`,
}

// EMQ 2.3: one file for three modules.
files['emq_modules.conf'] = `
    module.presence = on
    module.presence.qos = 1

    module.subscription = on
    module.subscription.1.topic = $client/%c
    module.subscription.1.qos = 1

    module.rewrite = off
    ## module.rewrite.rule.1 = x/# ^x/y/(.+)$ z/y/$1
    module.rewrite.rule.2 = y/+/z/# ^y/(.+)/z/(.+)$ y/z/$2
`
const parts: Record<string, string[]> = { emq_modules: ['presence', 'subscription', 'rewrite'] }

// The manual has these terms under this name, too.
files['emq_mod_rewrite.conf'] = files['emq_mod_rewrite.config']

describe('files of settings of EMQ 2.0', () => {
  for (const [file, text] of Object.entries(files)) {
    const name = file.replace(/\.config?$/, '').replace(/\.conf$/, '')
    test(file, async (scope) => {
      const home = mkdtempSync(join(tmpdir(), 'hookmq-emq-files-'))
      scope.after(() => rmSync(home, { recursive: true }))
      mkdirSync(join(home, 'etc/plugins'), { recursive: true })
      writeFileSync(join(home, 'etc/hookmq.conf'), 'listener.tcp.external = 127.0.0.1:0\nacl_file =\n')
      writeFileSync(join(home, 'etc/plugins', file), text)
      const complaints: string[] = []
      const complain = (message: string, fields?: object): void =>
        void complaints.push(`${message} ${JSON.stringify(fields)}`)
      const log = { debug() {}, info() {}, warn: complain, error: complain, child: () => log }
      const broker = await createBroker({ configFile: join(home, 'etc/hookmq.conf'), log })
      await broker.start()
      scope.after(() => broker.stop(100))
      assert.deepEqual(await broker.admin.loadPlugin(name), { ok: true, started: [...(parts[name] ?? []), name] })
      assert.equal(broker.admin.plugins().find(({ alias }) => alias === name)?.active, true)
      const unexpected = complaints.filter((line) => /not a key|not read|ignored/.test(line))
      assert.deepEqual(unexpected, [])
      assert.deepEqual(await broker.admin.unloadPlugin(name), { ok: true, started: [] })
    })
  }
})
