import assert from 'node:assert/strict'
import { connect as openSocket } from 'node:net'
import { test } from 'node:test'
import { definePlugin } from '@hookmq/api'
import { run } from './running.testing.ts'

test('nodes, metrics, stats, status', async (scope) => {
  const { call, broker, connect } = await run(scope)
  await connect({ clientId: 'c' })
  const { node } = broker.options
  const [row] = (await call('GET', '/nodes')).body
  assert.deepEqual(
    [row.node, row.node_status, row.version, row.connections, row.live_connections, row.cluster_sessions],
    [node, 'running', broker.options.version, 1, 1, 1],
  )
  for (const name of ['uptime', 'load1', 'load5', 'load15', 'max_fds', 'memory_total', 'memory_used']) {
    assert.equal(typeof row[name], 'number', name)
  }
  assert.equal((await call('GET', `/nodes/${node}`)).body.node, node)
  assert.equal((await call('GET', '/nodes/other')).status, 404)
  const [metrics] = (await call('GET', '/metrics')).body
  assert.deepEqual([metrics.node, metrics['client.connected'], metrics['packets.connect.received']], [node, 1, 1])
  assert.equal((await call('GET', '/metrics?aggregate=true')).body['session.created'], 1)
  assert.equal((await call('GET', `/nodes/${node}/metrics`)).body['session.created'], 1)
  assert.equal((await call('GET', '/stats?aggregate=true')).body['live_connections.count'], 1)
  assert.equal((await call('GET', '/stats')).body[0]['sessions.max'], 1)
  assert.equal((await call('GET', `/nodes/${node}/stats`)).body['connections.count'], 1)
  assert.equal((await call('GET', '/nodes/other/stats')).status, 404)
  for (const base of ['', '/api/v5']) {
    const { status, text } = await call('GET', '/status', { base, authorization: '' })
    assert.deepEqual([status, text], [200, `Node ${node} is started\nemqx is running`])
  }
  const json = await call('GET', '/status?format=json', { authorization: '' })
  assert.deepEqual([json.body.node_name, json.body.app_status], [node, 'running'])
  assert.deepEqual((await call('GET', '/alarms')).body, {
    data: [],
    meta: { page: 1, limit: 100, count: 0, hasnext: false },
  })
  const codes = (await call('GET', '/error_codes')).body
  assert.ok(codes.some(({ code }: { code: string }) => code === 'CLIENTID_NOT_FOUND'))
})

test('Prometheus text, without login unless asked for', async (scope) => {
  const { call, connect } = await run(scope)
  await connect()
  const { status, text, headers } = await call('GET', '/prometheus/stats', { authorization: '' })
  assert.equal(status, 200)
  assert.match(headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  assert.match(text, /^# TYPE emqx_connections_count gauge\nemqx_connections_count 1$/m)
  assert.match(text, /^# TYPE emqx_packets_connect counter\nemqx_packets_connect 1$/m)
  assert.match(text, /^emqx_packets_publish_received 0$/m)
  assert.match(text, /^emqx_messages_dropped_no_subscribers 0$/m)
  assert.match(text, /^emqx_cluster_nodes_running 1$/m)
  const names = new Set<string>()
  for (const line of text.trimEnd().split('\n')) {
    if (line.startsWith('#')) {
      const [, , name] = line.split(' ')
      assert.ok(name !== undefined && !names.has(name), `${name} twice`)
      names.add(name)
    } else assert.match(line, /^[a-z_][a-z0-9_]*(\{[^{}]*\})? -?\d+(\.\d+)?(e[+-]\d+)?$/, line)
  }
  const guarded = await run(scope, { config: { 'prometheus.enable_basic_auth': 'on' } })
  assert.equal((await guarded.call('GET', '/prometheus/stats', { authorization: '' })).status, 401)
  assert.equal((await guarded.call('GET', '/prometheus/stats')).status, 200)
})

test('listeners: list, stop, start, restart', async (scope) => {
  const { call } = await run(scope)
  const [row] = (await call('GET', '/listeners')).body
  assert.deepEqual([row.id, row.type, row.name, row.enable], ['tcp:external', 'tcp', 'external', true])
  assert.deepEqual(row.status.current_connections, 0)
  const reaches = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = openSocket(Number(row.bind.split(':')[1]), '127.0.0.1')
      socket.once('error', () => resolve(false))
      socket.once('connect', () => {
        socket.destroy()
        resolve(true)
      })
    })
  assert.equal(await reaches(), true)
  assert.equal((await call('POST', '/listeners/tcp:external/stop')).body.status.running, false)
  assert.equal(await reaches(), false)
  assert.equal((await call('GET', '/listeners/tcp:external')).body.enable, false)
  const started = await call('POST', '/listeners/tcp:external/start')
  assert.deepEqual([started.status, started.body.status.running], [200, true])
  assert.equal((await call('POST', '/listeners/tcp%3Aexternal/restart')).body.status.running, true)
  const none = await call('POST', '/listeners/tcp:none/start')
  assert.deepEqual([none.status, none.body.code], [404, 'BAD_LISTENER_ID'])
})

test('plugins: list; this one cannot unload itself', async (scope) => {
  const { call } = await run(scope)
  const rows = (await call('GET', '/plugins')).body
  const own = rows.find(({ name }: { name: string }) => name === 'management')
  assert.equal(own.running_status[0].status, 'running')
  assert.equal((await call('GET', '/plugins/management')).body.name, 'management')
  assert.equal((await call('GET', '/plugins/none')).status, 404)
  for (const name of ['management', 'emqx_management', 'emqx_dashboard']) {
    assert.match((await call('PUT', `/plugins/${name}/stop`)).body.message, /cannot stop itself/)
  }
})

test('hooks: the chains, and who decides', async (scope) => {
  const plugin = definePlugin({
    name: 'rules',
    setup(ctx) {
      ctx.hook('message.publish', () => undefined, { name: 'watch', priority: 5 })
      ctx.authorizer({ name: 'rules', authorize: ({ topic }) => (topic === 'no' ? 'deny' : 'ignore') })
    },
  })
  const { call, connect } = await run(scope, { plugins: [plugin] })
  await connect({ clientId: 'c' })
  const chains = (await call('GET', '/hooks')).body
  const chain = chains.find(({ point }: { point: string }) => point === 'message.publish')
  const { owner, name, priority, calls } = chain.hooks[0]
  assert.deepEqual([owner, name, priority, calls], ['rules', 'watch', 5, 0])
  assert.deepEqual((await call('GET', '/hooks/waiting')).body, [])
  const no = (await call('GET', '/hooks/explain/c?action=publish&topic=no')).body
  assert.equal(no.result, 'deny')
  assert.match(no.by, /rules/)
  assert.equal((await call('GET', '/hooks/explain/c?action=publish&topic=yes')).body.result, 'allow')
  assert.equal((await call('GET', '/hooks/explain/c?action=fly&topic=a')).status, 400)
  assert.equal((await call('GET', '/hooks/explain/none?action=publish&topic=a')).status, 404)
})
