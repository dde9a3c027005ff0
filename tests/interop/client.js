'use strict'
/*
 * The stock wsrpc client with a schema of 2017: `node client.js ADDRESS`.
 * Every line of its input is a call, {"method", "request"}; every line of its output is what came:
 * {"open"}, {"seq", "reply"}, {"seq", "error"}, {"event", "payload"} or {"problem"}.
 */
const path = require('path')
const readline = require('readline')
const protobuf = require('protobufjs')
const wsrpc = require('wsrpc')

const schema = protobuf.loadSync(path.join(__dirname, 'painter2017.proto'))
const say = (value) => process.stdout.write(JSON.stringify(value) + '\n')

const client = new wsrpc.Client(process.argv[2], schema.lookupService('DreamPainter'), {
  eventTypes: {
    paint: schema.lookupType('PaintEvent'),
    canvas: schema.lookupType('CanvasEvent'),
    status: schema.lookupType('StatusEvent')
  }
})
client.on('open', () => say({ open: true }))
client.on('event', (event, payload) => say({ event, payload: payload.toJSON() }))
client.on('error', (error) => say({ problem: String(error) }))

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const { method, request } = JSON.parse(line)
  const seq = client.nextSeq
  client.service[method](request).then(
    (reply) => say({ seq, reply: reply.toJSON() }),
    (error) => say({ seq, error: error.message })
  )
}).on('close', () => process.exit(0))
