import { addProtocol, type LayerSpecification, type Map as LibreMap, removeProtocol } from 'maplibre-gl'
import type { Palette } from '../theme/tokens'
import { type BasemapContent, basemapLayers, basemapSource } from './basemapstyle'
import { restyle } from './restyle'

const scheme = 'pmtiles'

/** How the ground under the city's layers is drawn. */
export interface BasemapLook {
  palette: Palette
  basemap: boolean
}

/** The ground under the city's layers, from a PMTiles archive. The code that reads one is loaded with the first archive. */
export class Basemap {
  private content: BasemapContent | null = null
  private drawn: LayerSpecification[] = []

  constructor(
    private readonly map: LibreMap,
    /** The city's layer that the ground lies under. */
    private readonly under: string,
  ) {}

  /**
   * Reads what the archive holds and draws it. Gives the credit its publisher asks for, as plain text; fails where the
   * archive cannot be read, and then nothing is drawn.
   */
  async open(url: string, look: () => BasemapLook): Promise<string> {
    const { PMTiles, Protocol, TileType } = await import('pmtiles')
    const archive = new PMTiles(url)
    const header = await archive.getHeader()
    const metadata = header.jsonMetadataLength ? ((await archive.getMetadata()) as Partial<Metadata>) : {}
    const vector = header.tileType === TileType.Mvt

    const protocol = new Protocol()
    protocol.add(archive)
    addProtocol(scheme, protocol.tile)
    const { minLon, minLat, maxLon, maxLat } = header
    this.map.addSource(basemapSource, {
      type: vector ? 'vector' : 'raster',
      tiles: [`${scheme}://${url}/{z}/{x}/{y}`],
      minzoom: header.minZoom,
      maxzoom: header.maxZoom,
      ...(vector ? {} : { tileSize: 256 }),
      ...(minLon < maxLon && minLat < maxLat ? { bounds: [minLon, minLat, maxLon, maxLat] } : {}),
    })
    const named = Array.isArray(metadata.vector_layers) ? metadata.vector_layers : []
    const ids = named.map(l => l?.id).filter(id => typeof id === 'string')
    this.content = { raster: !vector, layers: [...new Set(ids)] }
    const { palette, basemap } = look()
    this.drawn = basemapLayers(this.content, palette, basemap)
    for (const layer of this.drawn) this.map.addLayer(layer, this.under)
    return plainText(metadata.attribution)
  }

  setLook(look: BasemapLook): void {
    if (!this.content) return
    const next = basemapLayers(this.content, look.palette, look.basemap)
    restyle(this.map, this.drawn, next)
    this.drawn = next
  }

  remove(): void {
    if (this.content) removeProtocol(scheme)
  }
}

/** What an archive says of itself; it is someone else's file, so nothing is taken for granted. */
interface Metadata {
  attribution: unknown
  vector_layers: ({ id?: unknown } | null)[]
}

/** Credits are often HTML; only what a person would read of them is kept. */
function plainText(html: unknown): string {
  if (typeof html !== 'string') return ''
  const { body } = new DOMParser().parseFromString(html, 'text/html')
  return (body.textContent ?? '').trim().replace(/\s+/g, ' ').slice(0, 300)
}
