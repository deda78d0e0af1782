// npm run mock [-- PORT [SCENARIO [HOST]]]: the mock in the foreground; scenarios normal, empty, many.
import { startMock } from './daemon.mjs'

const [port = '8080', scenario = 'normal', host = '127.0.0.1'] = process.argv.slice(2)
const mock = await startMock({ port: Number(port), scenario, host })
console.log(`portal ${mock.url}`)
for (const [name, password] of Object.entries(mock.users)) console.log(`login ${name} ${password}`)
