/**
 * The bent systems of Chinese maps, GCJ-02 and BD-09, straightened as the service does (internal/crs/bent.go): to show where something is.
 * What is sent are the numbers as they came, with the name of their system.
 */

export type Bent = 'gcj02' | 'bd09'
type LonLat = readonly [number, number]

const axisM = 6378245
const eccentricity = 0.006693421622965943
const bdPi = (Math.PI * 3000) / 180
const { PI, sin, cos, sqrt, abs } = Math

const inChina = ([lon, lat]: LonLat) => lon >= 72.004 && lon <= 137.8347 && lat >= 0.8293 && lat <= 55.8271

function shift([lon, lat]: LonLat): LonLat {
  const [x, y] = [lon - 105, lat - 35]
  const common = ((20 * sin(6 * x * PI) + 20 * sin(2 * x * PI)) * 2) / 3
  const root = sqrt(abs(x))
  const dLat =
    -100 +
    2 * x +
    3 * y +
    0.2 * y * y +
    0.1 * x * y +
    0.2 * root +
    common +
    ((20 * sin(y * PI) + 40 * sin((y / 3) * PI)) * 2) / 3 +
    ((160 * sin((y / 12) * PI) + 320 * sin((y * PI) / 30)) * 2) / 3
  const dLon =
    300 +
    x +
    2 * y +
    0.1 * x * x +
    0.1 * x * y +
    0.1 * root +
    common +
    ((20 * sin(x * PI) + 40 * sin((x / 3) * PI)) * 2) / 3 +
    ((150 * sin((x / 12) * PI) + 300 * sin((x / 30) * PI)) * 2) / 3
  const rad = (lat / 180) * PI
  const magic = 1 - eccentricity * sin(rad) * sin(rad)
  const meridianM = (axisM * (1 - eccentricity)) / (magic * sqrt(magic))
  const normalM = axisM / sqrt(magic)
  return [(dLon * 180) / (normalM * cos(rad) * PI), (dLat * 180) / (meridianM * PI)]
}

function toBD09([lon, lat]: LonLat): LonLat {
  const r = Math.hypot(lon, lat) + 0.00002 * sin(lat * bdPi)
  const theta = Math.atan2(lat, lon) + 0.000003 * cos(lon * bdPi)
  return [r * cos(theta) + 0.0065, r * sin(theta) + 0.006]
}

const steps = 20
const closeDeg = 1e-11

function fromGCJ02(g: LonLat): LonLat {
  if (!inChina(g)) return g
  let w = g
  for (let i = 0; i < steps; i++) {
    const [dLon, dLat] = shift(w)
    const next: LonLat = [g[0] - dLon, g[1] - dLat]
    const step = Math.max(abs(next[0] - w[0]), abs(next[1] - w[1]))
    w = next
    if (step < closeDeg) break
  }
  return w
}

function fromBD09(b: LonLat): LonLat {
  let g: LonLat = [b[0] - 0.0065, b[1] - 0.006]
  for (let i = 0; i < steps; i++) {
    const bent = toBD09(g)
    const [dLon, dLat] = [b[0] - bent[0], b[1] - bent[1]]
    g = [g[0] + dLon, g[1] + dLat]
    if (Math.max(abs(dLon), abs(dLat)) < closeDeg) break
  }
  return g
}

/** Longitude and latitude of a point of a bent system. */
export function straight(lon: number, lat: number, system: Bent): { lon: number; lat: number } {
  const [x, y] = fromGCJ02(system === 'bd09' ? fromBD09([lon, lat]) : [lon, lat])
  return { lon: x, lat: y }
}
