// The server side of RFC 6455, as much as the mock needs: text frames, ping, close.
import { createHash } from 'node:crypto'

const kGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

export function accept(request, socket) {
  const key = createHash('sha1').update(request.headers['sec-websocket-key'] + kGuid).digest('base64')
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`)
  socket.setNoDelay(true)
  const peer = { onmessage: () => {}, onclose: () => {}, open: true, send, close }
  let rest = Buffer.alloc(0)

  function frame(opcode, payload) {
    const n = payload.length
    const head = n < 126 ? Buffer.from([0x80 | opcode, n]) : n < 65536 ? Buffer.from([0x80 | opcode, 126, n >> 8, n & 255]) : Buffer.alloc(10)
    if (n >= 65536) {
      head[0] = 0x80 | opcode
      head[1] = 127
      head.writeBigUInt64BE(BigInt(n), 2)
    }
    if (peer.open && socket.writable) socket.write(Buffer.concat([head, payload]))
  }
  function send(message) {
    frame(1, Buffer.from(JSON.stringify(message)))
  }
  function close(code = 1000) {
    frame(8, Buffer.from([code >> 8, code & 255]))
    socket.end()
    gone()
  }
  function gone() {
    if (!peer.open) return
    peer.open = false
    peer.onclose()
  }

  socket.on('data', data => {
    rest = Buffer.concat([rest, data])
    for (;;) {
      if (rest.length < 2) return
      let n = rest[1] & 127
      let at = 2
      if (n === 126) {
        if (rest.length < 4) return
        n = rest.readUInt16BE(2)
        at = 4
      } else if (n === 127) {
        if (rest.length < 10) return
        n = Number(rest.readBigUInt64BE(2))
        at = 10
      }
      if (rest.length < at + 4 + n) return
      const mask = rest.subarray(at, at + 4)
      const payload = Buffer.from(rest.subarray(at + 4, at + 4 + n).map((byte, i) => byte ^ mask[i % 4]))
      const opcode = rest[0] & 15
      rest = rest.subarray(at + 4 + n)
      if (opcode === 8) {
        close()
        return
      }
      if (opcode === 9) frame(10, payload)
      if (opcode === 1) peer.onmessage(JSON.parse(payload.toString()))
    }
  })
  socket.on('close', gone)
  socket.on('error', gone)
  return peer
}
