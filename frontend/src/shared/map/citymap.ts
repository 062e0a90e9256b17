import {
  type LayerSpecification,
  Map as LibreMap,
  type MapGeoJSONFeature,
  setWorkerUrl,
  type VectorTileSource,
} from 'maplibre-gl'
import 'maplibre-gl/dist/maplibre-gl.css'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url'
import type { Role } from '../api/types'
import { roles } from '../api/types'
import { FreshReports, setPoints } from './fresh'
import { type Breaks, breaksOf } from './heat'
import { areaLayers, baseStyle, deepest, type Look, layers, reportsFrom } from './style'
import { tilesHolding } from './tiles'

setWorkerUrl(workerUrl)

export interface Point {
  lon: number
  lat: number
}
export interface MapView extends Point {
  zoom: number
}
/** west, south, east, north in degrees. */
export type Box = [number, number, number, number]

export interface AreaHit {
  level: Role
  code: string
  name: string
  nameLatin?: string
}

/** Addresses of the city's tiles, with {z}, {x} and {y}. */
export interface CityTiles {
  jurisdictions: string
  heat: string
  reports: string
}

/** What lies under a point of the map: the reports, the nearest first, and the areas, the smallest first. */
export interface Hit extends Point {
  reports: number[]
  areas: AreaHit[]
}

export interface Listener {
  /** The view came to rest. */
  moved(view: MapView, box: Box): void
  clicked(hit: Hit): void
  /** The pointer moved; null when it left the map. */
  hovered(hit: Hit | null): void
  breaks(breaks: Breaks | null, tileZoom: number, truncated: boolean): void
  /** The width of one pixel on the ground and the view's zoom, while it moves. */
  scaled(metresPerPixel: number): void
  loading(busy: boolean): void
  failed(failed: boolean): void
}

/**
 * The map of a city, outside the page's framework: it is told what to show and tells what was pointed at. It draws the
 * city's own tiles on an empty style and asks no other host for anything.
 */
export class CityMap {
  private readonly map: LibreMap
  private look: Look
  private drawn: LayerSpecification[]
  private ready = false
  private tiles: CityTiles
  private readonly fresh: FreshReports
  private marks: { hover: Point | null; chosen: Point | null } = { hover: null, chosen: null }
  /** Sources whose tiles were under way when their content changed: what is on its way may be of before the change. */
  private readonly again = new Set<string>()
  private breaksFor = ''
  private breaksKey = ''
  private hoverFrame = 0

  constructor(
    container: HTMLElement,
    options: {
      look: Look
      tiles: CityTiles
      view: MapView | null
      bounds: Box
      label: string
      reducedMotion: boolean
    },
    private readonly listener: Listener,
  ) {
    this.look = options.look
    this.tiles = options.tiles
    const style = baseStyle(options.tiles, options.look)
    this.drawn = style.layers
    const [west, south, east, north] = options.bounds
    const [w, h] = [east - west, north - south]
    this.map = new LibreMap({
      container,
      style,
      ...(options.view
        ? { center: [options.view.lon, options.view.lat], zoom: options.view.zoom }
        : { bounds: options.bounds, fitBoundsOptions: { padding: 24 } }),
      maxBounds: [
        west - 2 * w - 0.2,
        Math.max(-85, south - 2 * h - 0.2),
        east + 2 * w + 0.2,
        Math.min(85, north + 2 * h + 0.2),
      ],
      maxZoom: 20,
      // The page says when the container changed, so that the view can be kept in place (resize).
      trackResize: false,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      rollEnabled: false,
      touchPitch: false,
      fadeDuration: options.reducedMotion ? 0 : 150,
      reduceMotion: options.reducedMotion,
      localIdeographFontFamily:
        '"PingFang SC", "Microsoft YaHei", "Noto Sans SC", "WenQuanYi Micro Hei", system-ui, sans-serif',
      // Tiles out of view are asked for again when they return: the service says 304 where nothing changed, while a
      // tile kept here would not know of the reports that came in meanwhile.
      maxTileCacheSize: 0,
      renderWorldCopies: false,
    })
    this.fresh = new FreshReports(this.map)
    this.map.touchZoomRotate.disableRotation()
    this.map.keyboard.disableRotation()
    const canvas = this.map.getCanvas()
    canvas.setAttribute('aria-label', options.label)
    canvas.setAttribute('role', 'application')
    this.listen(options)
  }

  private listen(first: { look: Look; tiles: CityTiles }): void {
    const map = this.map
    // What was said before the style was there is drawn now.
    map.once('style.load', () => {
      this.ready = true
      const { look, tiles } = this
      this.look = first.look
      this.tiles = first.tiles
      this.setLook(look)
      this.setTiles(tiles)
      this.drawMarks()
      this.fresh.draw()
    })
    map.on('load', () => this.rested())
    map.on('moveend', () => this.rested())
    map.on('move', () => this.scaled())
    map.on('resize', () => this.scaled())
    map.on('dataloading', e => {
      if (e.dataType === 'source') this.listener.loading(true)
    })
    map.on('idle', () => {
      this.listener.loading(false)
      this.settle()
    })
    map.on('sourcedata', e => {
      if (e.sourceId === 'reports' && e.tile) this.fresh.settle()
      if (e.tile) this.listener.failed(false)
    })
    map.on('error', () => this.listener.failed(true))
    map.on('click', e => this.listener.clicked(this.hit(e.point.x, e.point.y)))
    map.on('mousemove', e => {
      cancelAnimationFrame(this.hoverFrame)
      this.hoverFrame = requestAnimationFrame(() => this.listener.hovered(this.hit(e.point.x, e.point.y)))
    })
    map.on('mouseout', () => {
      cancelAnimationFrame(this.hoverFrame)
      this.listener.hovered(null)
    })
  }

  /** The view stands still: say where. */
  private rested(): void {
    this.scaled()
    this.listener.moved(this.view(), this.box())
  }

  private scaled(): void {
    const { lat } = this.map.getCenter()
    this.listener.scaled((40_075_016.69 * Math.cos((lat * Math.PI) / 180)) / 512 / 2 ** this.map.getZoom())
  }

  /** Everything asked for has come: look at what came. */
  private settle(): void {
    if (this.again.size > 0) {
      const sources = [...this.again]
      this.again.clear()
      for (const source of sources) this.map.refreshTiles(source)
      return
    }
    this.reclass()
  }

  view(): MapView {
    const { lng, lat } = this.map.getCenter()
    return { lon: lng, lat, zoom: this.map.getZoom() }
  }

  box(): Box {
    const b = this.map.getBounds()
    return [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()]
  }

  center(): Point {
    const { lng, lat } = this.map.getCenter()
    return { lon: lng, lat }
  }

  private hit(x: number, y: number): Hit {
    const { lng, lat } = this.map.unproject([x, y])
    if (!this.ready) return { lon: lng, lat, reports: [], areas: [] }
    const reach = this.look.touch ? 14 : 6
    const near = this.map.queryRenderedFeatures(
      [
        [x - reach, y - reach],
        [x + reach, y + reach],
      ],
      { layers: ['fresh', 'reports'] },
    )
    const away = (f: MapGeoJSONFeature) => {
      if (f.geometry.type !== 'Point') return Number.POSITIVE_INFINITY
      const p = this.map.project(f.geometry.coordinates as [number, number])
      return Math.hypot(p.x - x, p.y - y)
    }
    const reports = [...new Set(near.sort((a, b) => away(a) - away(b)).map(f => Number(f.id)))]
    const areas = this.map
      .queryRenderedFeatures([x, y], { layers: areaLayers })
      .map(f => ({
        level: f.properties.level as Role,
        code: String(f.properties.code ?? ''),
        name: String(f.properties.name ?? ''),
        nameLatin: f.properties.name_latin as string | undefined,
      }))
      .filter(a => roles.includes(a.level))
      .sort((a, b) => roles.indexOf(b.level) - roles.indexOf(a.level))
    return { lon: lng, lat, reports, areas }
  }

  /** Draws the city as said: only what differs from what is drawn is changed. */
  setLook(look: Look): void {
    const valueChanged = look.heat !== this.look.heat
    this.look = look
    if (!this.ready) return
    const next = layers(look)
    next.forEach((layer, i) => {
      const old = this.drawn[i]
      if (old && old.id === layer.id) this.change(old, layer)
    })
    this.drawn = next
    if (valueChanged) {
      this.breaksFor = ''
      this.reclass()
    }
  }

  private change(old: LayerSpecification, next: LayerSpecification): void {
    const differs = (a: unknown, b: unknown) => JSON.stringify(a) !== JSON.stringify(b)
    for (const kind of ['paint', 'layout'] as const) {
      const [was, now] = [(old[kind] ?? {}) as Record<string, unknown>, (next[kind] ?? {}) as Record<string, unknown>]
      for (const name of new Set([...Object.keys(was), ...Object.keys(now)])) {
        if (!differs(was[name], now[name])) continue
        if (kind === 'paint') this.map.setPaintProperty(next.id, name as never, now[name] as never)
        else this.map.setLayoutProperty(next.id, name as never, now[name] as never)
      }
    }
    if ('filter' in next && differs('filter' in old ? old.filter : undefined, next.filter)) {
      this.map.setFilter(next.id, next.filter)
    }
  }

  /** Other addresses for the tiles: another filter, another plan. The old content stays until the new is there. */
  setTiles(tiles: CityTiles): void {
    if (!this.ready) {
      this.tiles = tiles
      return
    }
    for (const source of ['heat', 'reports', 'jurisdictions'] as const) {
      if (tiles[source] === this.tiles[source]) continue
      if (!this.map.isSourceLoaded(source)) this.again.add(source)
      this.map.getSource<VectorTileSource>(source)?.setTiles([tiles[source]])
      if (source === 'heat') this.breaksFor = ''
    }
    this.tiles = tiles
  }

  /** Asks for all tiles of reports again. */
  refreshAll(): void {
    this.refresh(undefined)
  }

  /** Asks for the tiles again that hold one of the points. */
  refreshAround(points: readonly Point[]): void {
    const z = Math.min(deepest, Math.floor(this.map.getZoom()))
    this.refresh(tilesHolding(points, Math.max(0, z - 1), Math.min(deepest, z + 1)))
  }

  private refresh(tiles: ReturnType<typeof tilesHolding> | undefined): void {
    if (!this.ready) return
    for (const source of ['heat', 'reports']) {
      // The map refreshes only what it has: what is under way is asked for again once it has come.
      if (!this.map.isSourceLoaded(source)) this.again.add(source)
      this.map.refreshTiles(source, tiles)
    }
  }

  /** Shows reports that came in just now, until their tile has them; a few of them pulse twice. */
  showFresh(reports: readonly (Point & { num: number })[], pulse: boolean): void {
    this.fresh.show(reports, pulse)
  }

  /** Lights a point: `hover` while its row is hovered, `chosen` while it is open or being picked. */
  mark(which: 'hover' | 'chosen', point: Point | null): void {
    this.marks[which] = point
    this.drawMarks()
  }

  private drawMarks(): void {
    setPoints(
      this.map,
      'marked',
      (['hover', 'chosen'] as const).flatMap(mark => {
        const p = this.marks[mark]
        return p ? [{ ...p, id: mark === 'hover' ? 1 : 2, properties: { mark } }] : []
      }),
    )
  }

  /**
   * Takes the heat's classes from the cells in view. They change with the zoom and with the filter, not while the map is
   * moved, so that a colour keeps its meaning under the hand.
   */
  private reclass(): void {
    if (!this.ready || !this.map.isSourceLoaded('heat')) return
    const zoom = Math.min(deepest, Math.floor(this.map.getZoom()))
    const key = `${zoom} ${this.tiles.heat} ${this.look.heat}`
    const truncated =
      this.map.getZoom() >= reportsFrom &&
      this.map.querySourceFeatures('reports', { sourceLayer: 'reports', filter: ['==', ['get', 'truncated'], true] })
        .length > 0
    let breaks = this.look.breaks
    if (key !== this.breaksFor && this.look.heat !== 'off') {
      const property = this.look.heat === 'density' ? 'per_km2' : 'count'
      const cells = new Map<string, number>()
      for (const f of this.map.querySourceFeatures('heat', { sourceLayer: 'heat' })) {
        if (f.geometry.type !== 'Polygon') continue
        const corner = f.geometry.coordinates[0]?.[0]
        cells.set(String(corner), Number(f.properties[property]))
      }
      breaks = breaksOf(
        [...cells.values()].filter(v => v > 0),
        this.look.heat === 'count',
      )
      if (breaks) this.breaksFor = key
    }
    const told = JSON.stringify([breaks, zoom, truncated])
    if (told === this.breaksKey) return
    this.breaksKey = told
    this.listener.breaks(breaks, zoom, truncated)
  }

  /** Brings a point into view, moving no more than needed. */
  reveal(p: Point): void {
    const { clientWidth: w, clientHeight: h } = this.map.getContainer()
    const at = this.map.project([p.lon, p.lat])
    const margin = Math.min(60, w / 5, h / 5)
    if (at.x < margin || at.y < margin || at.x > w - margin || at.y > h - margin) {
      this.map.easeTo({ center: [p.lon, p.lat], duration: 200 })
    }
  }

  goTo(p: Point, zoom: number): void {
    this.map.easeTo({ center: [p.lon, p.lat], zoom, duration: 200 })
  }

  /** The view of a link or of the history, at once. */
  jumpTo(v: MapView): void {
    this.map.jumpTo({ center: [v.lon, v.lat], zoom: v.zoom })
  }

  fit(box: Box, animate = true): void {
    this.map.fitBounds(box, { padding: 40, maxZoom: 17, duration: animate ? 200 : 0 })
  }

  zoomBy(steps: number): void {
    this.map.easeTo({ zoom: this.map.getZoom() + steps, duration: 200 })
  }

  /** The container changed its size: what is at its left top stays there. */
  resize(): void {
    const { clientWidth: w, clientHeight: h } = this.map.getContainer()
    if (w === 0 || h === 0) return
    const centre = this.map.unproject([w / 2, h / 2])
    this.map.resize()
    this.map.jumpTo({ center: centre })
  }

  setCursor(cursor: string): void {
    this.map.getCanvas().style.cursor = cursor
  }

  setLabel(label: string): void {
    this.map.getCanvas().setAttribute('aria-label', label)
  }

  remove(): void {
    cancelAnimationFrame(this.hoverFrame)
    this.map.remove()
  }
}
