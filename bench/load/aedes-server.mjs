// aedes with its in-memory defaults on 127.0.0.1, Nagle off as for the other brokers. Usage: node aedes-server.mjs PORT
import { createServer } from 'node:net'
import { Aedes } from 'aedes'

const broker = await Aedes.createBroker()
createServer({ noDelay: true }, broker.handle).listen({
  port: Number(process.argv[2]),
  host: '127.0.0.1',
  backlog: 4096,
})
