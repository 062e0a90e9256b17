/**
 * BeiDou grid location code, GB/T 39409-2020, two-dimensional.
 *
 * A code names a cell; each of its ten levels divides the cells of the level above, and a parent's code is a truncation of
 * its children's. Only the north-eastern quadrant below 88° is encoded; null elsewhere.
 */

/** Units a degree: one unit is 1/2048 of an arc-second. */
const unitsPerDegree = 7_372_800

/** Longitude and latitude extent of a level's cells in units, with the symbols used for each axis. */
const levels: readonly { lon: number; lat: number; part: (i: number, j: number) => string }[] = [
  {
    lon: 44_236_800,
    lat: 29_491_200,
    part: (i, j) => String(i + 31).padStart(2, '0') + String.fromCharCode(65 + j),
  },
  { lon: 3_686_400, lat: 3_686_400, part: hexPair },
  { lon: 1_843_200, lat: 1_228_800, part: (i, j) => String(2 * j + i) },
  { lon: 122_880, lat: 122_880, part: hexPair },
  { lon: 8_192, lat: 8_192, part: hexPair },
  { lon: 4_096, lat: 4_096, part: (i, j) => String(2 * j + i) },
  { lon: 512, lat: 512, part: hexPair },
  { lon: 64, lat: 64, part: hexPair },
  { lon: 8, lat: 8, part: hexPair },
  { lon: 1, lat: 1, part: hexPair },
]

function hexPair(i: number, j: number): string {
  return i.toString(16).toUpperCase() + j.toString(16).toUpperCase()
}

export type Level = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10

/** The code of the cell of the given level that holds the point; null where the quadrant has none. */
export function encode(lon: number, lat: number, level: Level = 10): string | null {
  if (!(lon >= 0 && lon < 180 && lat >= 0 && lat < 88)) return null
  // The small addend keeps a point that lies on a cell's edge in decimal degrees from falling below it in binary.
  let x = Math.floor(lon * unitsPerDegree + 1e-6)
  let y = Math.floor(lat * unitsPerDegree + 1e-6)
  let code = 'N'
  for (const cell of levels.slice(0, level)) {
    code += cell.part(Math.floor(x / cell.lon), Math.floor(y / cell.lat))
    x %= cell.lon
    y %= cell.lat
  }
  return code
}

/**
 * The cell that a code names: west, south, east, north in degrees. Null for anything that encode does not write: another
 * quadrant, a length between two levels, a digit that its level does not have.
 */
export function decode(code: string): [number, number, number, number] | null {
  const symbols = code.slice(1)
  let [x, y, at] = [0, 0, 0]
  // The first parent is all that is coded.
  let parent = { lon: 180 * unitsPerDegree, lat: 88 * unitsPerDegree }
  for (const cell of code[0] === 'N' ? levels : []) {
    const { length } = cell.part(0, 0)
    const part = symbols.slice(at, at + length)
    let found = false
    for (let j = 0; j < parent.lat / cell.lat && !found; j++) {
      for (let i = 0; i < parent.lon / cell.lon && !found; i++) {
        if (cell.part(i, j) !== part) continue
        found = true
        x += i * cell.lon
        y += j * cell.lat
      }
    }
    if (!found) return null
    at += length
    parent = cell
    if (at === symbols.length) {
      return [x, y, x + cell.lon, y + cell.lat].map(v => v / unitsPerDegree) as [number, number, number, number]
    }
  }
  return null
}

/** The finest level whose cells are at least as wide as sizeM, so that a code never claims more than the eye can point at. */
export function levelFor(sizeM: number): Level {
  const metresPerUnit = 40_075_017 / 360 / unitsPerDegree
  for (let level = 10; level > 1; level--) {
    if (levels[level - 1]!.lat * metresPerUnit >= sizeM) return level as Level
  }
  return 1
}
