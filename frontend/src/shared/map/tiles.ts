/** Web Mercator tile arithmetic: what the page must know of it to ask for single tiles again. */

export interface Tile {
  z: number
  x: number
  y: number
}

/** The tile of zoom z that holds the point. Points beyond the Mercator square fall into the outermost row. */
export function tileAt(lon: number, lat: number, z: number): Tile {
  const n = 2 ** z
  const clamp = (v: number) => Math.min(n - 1, Math.max(0, Math.floor(v)))
  const y = (1 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / Math.PI) / 2
  return { z, x: clamp(((lon + 180) / 360) * n), y: clamp(y * n) }
}

/** The tiles of zooms low…high that hold one of the points, each once. */
export function tilesHolding(points: readonly { lon: number; lat: number }[], low: number, high: number): Tile[] {
  const found = new Map<string, Tile>()
  for (const p of points) {
    for (let z = low; z <= high; z++) {
      const tile = tileAt(p.lon, p.lat, z)
      found.set(`${tile.z}/${tile.x}/${tile.y}`, tile)
    }
  }
  return [...found.values()]
}

/** Width on the ground, in metres, of one heat cell: 1/64 of a tile. */
export function heatCellM(lat: number, z: number): number {
  return (40_075_016.69 * Math.cos((lat * Math.PI) / 180)) / 2 ** z / 64
}
