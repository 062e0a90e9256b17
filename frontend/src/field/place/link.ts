import { type Bent, straight } from './bent'

/** A place as somebody pasted it: the numbers as they came, their system, and where that is. */
export interface Pasted {
  x: number
  y: number
  system: Bent | 'wgs84'
  lon: number
  lat: number
}

const number = '(-?\\d{1,3}(?:\\.\\d{1,15})?)'
const pair = new RegExp(`${number}\\s*(?:,|，|%2C|\\s)\\s*${number}`, 'i')

/** Where a map's links keep the point, in which system, and which number comes first. The most telling ones stand first. */
const links: { host: RegExp; at: RegExp; latFirst: boolean; system: Pasted['system'] }[] = [
  {
    host: /(^|\.)(amap|gaode)\.com$/,
    at: /[?&](?:position|location|dest|to|lnglat)=/,
    latFirst: false,
    system: 'gcj02',
  },
  { host: /(^|\.)(amap|gaode)\.com$/, at: /[?&](?:p)=[^,]*,/, latFirst: true, system: 'gcj02' },
  { host: /(^|\.)(amap|gaode)\.com$/, at: /[?&](?:q|center)=/, latFirst: true, system: 'gcj02' },
  { host: /(^|\.)baidu\.com$/, at: /[?&](?:location|latlng)=/, latFirst: true, system: 'bd09' },
  { host: /(^|\.)qq\.com$/, at: /[?&](?:marker=coord:|center=|coord=|pointx=)/, latFirst: true, system: 'gcj02' },
  { host: /(^|\.)apple\.com$/, at: /[?&](?:ll|coordinate|q)=/, latFirst: true, system: 'gcj02' },
  { host: /(^|\.)google\.[a-z.]+$/, at: /(?:@|[?&](?:q|query|ll)=)/, latFirst: true, system: 'wgs84' },
  { host: /(^|\.)openstreetmap\.org$/, at: /#map=\d+\//, latFirst: true, system: 'wgs84' },
]

/**
 * Reads a link that a map shares, or coordinates. A short link holds none, and is not followed: null. Numbers by themselves are longitude,
 * latitude where they can be, as planners write them; in a link as its map writes them.
 */
export function pastedPlace(text: string): Pasted | null {
  const words = text.trim().slice(0, 4000)
  const geo = /(?:^|\s)geo:/i.exec(words)
  if (geo) return pointIn(words.slice(geo.index + geo[0].length), true, 'wgs84')
  const address = /https?:\/\/[^\s"'<>，。]+/i.exec(words)?.[0]
  if (address) return linked(address)
  const m = new RegExp(`^${pair.source}$`, 'i').exec(words)
  if (!m) return null
  const [a, b] = [Number(m[1]), Number(m[2])]
  return Math.abs(b) <= 90 ? made(a, b, 'wgs84') : made(b, a, 'wgs84')
}

function linked(address: string): Pasted | null {
  let url: URL
  try {
    url = new URL(address)
  } catch {
    return null
  }
  const rest = decoded(url.pathname + url.search + url.hash)
  for (const { host, at, latFirst, system } of links) {
    if (!host.test(url.hostname)) continue
    const found = at.exec(rest)
    if (!found) continue
    const point = pointIn(rest.slice(found.index + found[0].length).replace('/', ','), latFirst, told(rest) ?? system)
    if (point) return point
  }
  return null
}

function decoded(s: string): string {
  try {
    return decodeURIComponent(s)
  } catch {
    return s
  }
}

/** Some links name the system of their numbers. */
function told(rest: string): Pasted['system'] | null {
  const m = /[?&](?:coord_type|coordinate|coordsys|coord)=(wgs84(?:ll)?|gcj02(?:ll)?|bd09(?:ll)?)\b/i.exec(rest)
  return (m?.[1]?.toLowerCase().replace('ll', '') as Pasted['system'] | undefined) ?? null
}

function pointIn(s: string, latFirst: boolean, system: Pasted['system']): Pasted | null {
  const m = new RegExp(`^\\s*${pair.source}`, 'i').exec(s)
  if (!m) return null
  const [a, b] = [Number(m[1]), Number(m[2])]
  return latFirst ? made(b, a, system) : made(a, b, system)
}

function made(x: number, y: number, system: Pasted['system']): Pasted | null {
  if (!(Math.abs(x) <= 180 && Math.abs(y) <= 90) || (x === 0 && y === 0)) return null
  return { x, y, system, ...(system === 'wgs84' ? { lon: x, lat: y } : straight(x, y, system)) }
}
