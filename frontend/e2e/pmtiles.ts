import { gzipSync } from 'node:zlib'
import { PbfWriter } from 'pbf'

/**
 * A PMTiles archive (version 3) of one vector tile, 0/0/0, made here and of nobody's data: a lake over the north-east of
 * the world in a layer `water`, of Protomaps' schema.
 */
export function tinyArchive(attribution: string): Uint8Array {
  const tile = gzipSync(lake())
  const metadata = gzipSync(
    JSON.stringify({ attribution, vector_layers: [{ id: 'water', fields: { kind: 'String' } }] }),
  )
  // A directory of one entry: its count, then the columns tile id, run length, length, offset + 1.
  const entries = new PbfWriter()
  for (const value of [1, 0, 1, tile.length, 1]) entries.writeVarint(value)
  const root = gzipSync(entries.finish())

  const header = new DataView(new ArrayBuffer(127))
  new Uint8Array(header.buffer).set([...new TextEncoder().encode('PMTiles'), 3])
  const number = (at: number, value: number) => header.setBigUint64(at, BigInt(value), true)
  const parts = [root.length, metadata.length, 0, tile.length]
  parts.reduce((offset, length, i) => {
    number(8 + 16 * i, offset)
    number(16 + 16 * i, length)
    return offset + length
  }, header.byteLength)
  for (const at of [72, 80, 88]) number(at, 1) // tiles addressed, entries, contents
  new Uint8Array(header.buffer).set([1, 2, 2, 1, 0, 0], 96) // clustered, gzip, gzip, MVT, zoom 0 to 0
  for (const [i, degrees] of [-180, -85, 180, 85].entries()) header.setInt32(102 + 4 * i, degrees * 1e7, true)
  return Buffer.concat([new Uint8Array(header.buffer), root, metadata, tile])
}

/** A vector tile with one polygon: a square from the middle of the world to its north-eastern corner. */
function lake(): Uint8Array {
  const zigzag = (v: number) => (v << 1) ^ (v >> 31)
  const move = (x: number, y: number) => [zigzag(x), zigzag(y)]
  const ring = [
    (1 << 3) | 1,
    ...move(2048, 2048),
    (3 << 3) | 2,
    ...move(0, -2048),
    ...move(2048, 0),
    ...move(0, 2048),
    15,
  ]
  const pbf = new PbfWriter()
  pbf.writeMessage(
    3,
    (_, layer) => {
      layer.writeVarintField(15, 2)
      layer.writeStringField(1, 'water')
      layer.writeMessage(
        2,
        (_, feature) => {
          feature.writeVarintField(3, 3)
          feature.writePackedVarint(4, ring)
        },
        null,
      )
      layer.writeVarintField(5, 4096)
    },
    null,
  )
  return pbf.finish()
}
