// From values to the path of a spark. A bounded metric is padded, so that flat looks flat.

export interface Bounds {
  low: number
  high: number
}

export function bounds(values: (number | null)[], low?: number, high?: number): Bounds {
  let least = Infinity
  let most = -Infinity
  for (const value of values) {
    if (value === null || !Number.isFinite(value)) continue
    if (value < least) least = value
    if (value > most) most = value
  }
  if (least > most) return { low: low ?? 0, high: high ?? 1 }
  // With known limits at least a fifth of the whole range is shown; without, a little air.
  const range = low !== undefined && high !== undefined ? (high - low) / 5 : Math.max(Math.abs(most) * 0.004, 1e-9)
  const middle = (least + most) / 2
  const half = Math.max((most - least) / 2, range / 2) * 1.15
  return { low: middle - half, high: middle + half }
}

// Pieces of a polyline; a gap in the values is a gap in the line.
export function pieces(values: (number | null)[], width: number, height: number, range: Bounds): [number, number][][] {
  const step = values.length > 1 ? width / (values.length - 1) : 0
  const all: [number, number][][] = []
  let piece: [number, number][] = []
  values.forEach((value, i) => {
    if (value === null || !Number.isFinite(value)) {
      if (piece.length) all.push(piece)
      piece = []
      return
    }
    const share = (value - range.low) / (range.high - range.low || 1)
    piece.push([round(i * step), round(height - share * height)])
  })
  if (piece.length) all.push(piece)
  return all
}

export const line = (piece: [number, number][]) =>
  piece.length === 1 ? `M${piece[0][0]} ${piece[0][1]}h0.01` : piece.map(([x, y], i) => `${i ? 'L' : 'M'}${x} ${y}`).join('')

export const area = (piece: [number, number][], height: number) =>
  piece.length < 2 ? '' : `${line(piece)}L${piece[piece.length - 1][0]} ${height}L${piece[0][0]} ${height}Z`

const round = (n: number) => Math.round(n * 100) / 100
