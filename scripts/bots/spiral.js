// A spiral in JavaScript: `npm install wsrpc@1.4 protobufjs@6`, then `node spiral.js [http://127.0.0.1:4242]`.
const wsrpc = require('wsrpc')
const protobuf = require('protobufjs')

async function main (server) {
  const schema = await (await fetch(`${server}/proto/dreamcanvas.proto`)).text()
  const service = protobuf.parse(schema).root.lookupService('dreamcanvas.DreamPainter')
  const client = new wsrpc.Client(`${server.replace('http', 'ws')}/rpc`, service)
  await new Promise((resolve, reject) => client.once('open', resolve).once('error', reject))
  for (let n = 0; n < 600; n++) {
    const [r, a] = [n * 0.9, n / 11]
    const pos = { x: Math.round(768 + r * Math.cos(a)), y: Math.round(768 + r * Math.sin(a)) }
    await client.service.paint({ pos, size: 20 + n / 12, color: 0x2266CC + n * 97 })
  }
  process.exit(0)
}

main(process.argv[2] || 'http://127.0.0.1:4242').catch((error) => { console.error(error.message); process.exit(1) })
