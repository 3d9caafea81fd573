import { createBroker } from 'hookmq'

// A broker for tests that kill it: on a free port, with its store in the folder that it is given. Tells its parent the port.
const [, , dataDir = ''] = process.argv
const broker = await createBroker({ dataDir, listeners: [{ type: 'tcp' }], sysInterval: 0, sysHeartbeat: 0 })
await broker.start()
const address = broker.listeners[0]?.address ?? ''
process.send?.(Number(address.slice(address.lastIndexOf(':') + 1)))
process.on('disconnect', () => process.exit())
