import { ok, serve, stop } from '@hookmq/provider'

await serve(
  {
    'client.authenticate': ({ username, password }) => stop(username === 'ann' && password === 'apple'),
    'message.publish': { topics: ['sensors/#'], handle: ({ payload }) => ok({ payload: `{"celsius":${payload}}` }) },
    'client.disconnected': ({ clientid }, { reason }) => console.log(`${clientid} left: ${reason}`),
  },
  { listen: process.argv[2] ?? '127.0.0.1:9000' },
)
