import { type LayerSpecification, Map as LibreMap, type LngLat, setWorkerUrl, type VectorTileSource } from 'maplibre-gl'
import 'maplibre-gl/dist/maplibre-gl.css'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url'
import { Accuracy } from './accuracy'
import { Basemap } from './basemap'
import { basemapSource } from './basemapstyle'
import { FreshReports, setPoints } from './fresh'
import type { Box, CityTiles, MapView, Point } from './geo'
import { hatchOf } from './hatch'
import type { Breaks } from './heat'
import { HeatClasses } from './heatclasses'
import { type Hit, hitAt } from './hit'
import { type Mark, Marks } from './marks'
import { MissingTiles } from './missing'
import { DragPin } from './pin'
import { restyle } from './restyle'
import { type Sign, Signs } from './signs'
import { baseStyle, deepest, firstCityLayer, hatch, type Look, layers, tileSource } from './style'
import { type Tile, tilesHolding } from './tiles'

setWorkerUrl(workerUrl)

/** What moved the view: a person; the page, to bring something into view; or the room, which grew or shrank. */
export type Mover = 'person' | 'page' | 'room'

export interface Listener {
  /** The view came to rest; null is the whole of the frame. */
  moved(view: MapView | null, box: Box, by: Mover): void
  clicked(hit: Hit): void
  /** The pointer moved; null when it left the map. */
  hovered(hit: Hit | null): void
  breaks(breaks: Breaks | null, tileZoom: number, truncated: boolean): void
  /** The width of one pixel on the ground and the view's zoom, while it moves. */
  scaled(metresPerPixel: number): void
  loading(busy: boolean): void
  failed(failed: boolean): void
  /** The service no longer knows who asks for tiles, or does not let them. */
  refused(): void
  /** The credit of the basemap's publisher once it is read ('' where it asks for none). */
  credited(credit: string): void
  /** The basemap, or a part of it, did not load; the rest of the map is as it was. */
  basemapFailed(failed: boolean): void
}

/** What MapLibre keeps of a tile that did not come. */
interface FailedTile {
  actor?: unknown
  etag?: string
  tileID: { canonical: Tile }
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
  private readonly marks: Marks
  private readonly accuracy: Accuracy
  private readonly signs: Signs
  /** Sources whose tiles were under way when their content changed: what is on its way may be of before the change. */
  private readonly again = new Set<string>()
  private readonly missing = new MissingTiles((source, tiles) => {
    if (this.map.getSource(source)) this.map.refreshTiles(source, tiles)
    // So that the map comes to rest, and says so, also where none of them is in view.
    this.map.triggerRepaint()
  })
  private readonly classes: HeatClasses
  private readonly basemap: Basemap
  private basemapAddress: string | null = null
  private basemapOpening = false
  private hoverFrame = 0
  private frame: Box
  private cases: readonly (Point & { num: number; colour: string })[] = []
  /** The whole of the frame is shown, and stays so in more or less room, until the view is moved. */
  private whole: boolean
  /** What was in the middle of the screen, while the map is on paper. */
  private screened: LngLat | null = null
  /** So many pixels at the bottom lie under a sheet. */
  private covered = 0
  /** The way to where the page sent it, while it is on it. */
  private way: (() => void) | null = null
  private readonly bare: boolean

  constructor(
    container: HTMLElement,
    options: {
      look: Look
      tiles: CityTiles
      /** Address of a PMTiles archive to draw under the city's layers. */
      basemap: string | null
      view: MapView | null
      /** The city: the map goes not far beyond. */
      bounds: Box
      /** What is shown without a view: the city, or a part of it. */
      frame: Box
      /** A small picture, over which nothing lies. */
      bare?: boolean
      label: string
      reducedMotion: boolean
    },
    private readonly listener: Listener,
  ) {
    this.look = options.look
    this.tiles = options.tiles
    this.frame = options.frame
    this.bare = options.bare ?? false
    this.whole = options.view === null
    const style = baseStyle(options.tiles, options.look)
    this.drawn = style.layers
    const [west, south, east, north] = options.bounds
    const [w, h] = [east - west, north - south]
    this.map = new LibreMap({
      container,
      style,
      ...(options.view
        ? { center: [options.view.lon, options.view.lat], zoom: options.view.zoom }
        : { bounds: options.frame, fitBoundsOptions: { padding: this.padding(container) } }),
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
      // Tiles out of view are asked for again when they return: the service says 304 where nothing changed, while a
      // tile kept here would not know of the reports that came in meanwhile.
      maxTileCacheSize: 0,
      renderWorldCopies: false,
    })
    this.fresh = new FreshReports(this.map)
    this.marks = new Marks(this.map)
    this.accuracy = new Accuracy(this.map)
    this.signs = new Signs(this.map)
    this.classes = new HeatClasses(this.map, (...told) => listener.breaks(...told))
    this.basemap = new Basemap(this.map, firstCityLayer)
    this.map.touchZoomRotate.disableRotation()
    this.map.keyboard.disableRotation()
    const canvas = this.map.getCanvas()
    canvas.setAttribute('aria-label', options.label)
    canvas.setAttribute('role', 'application')
    this.listen(options)
  }

  private listen(first: { look: Look; tiles: CityTiles; basemap: string | null }): void {
    const map = this.map
    // What was said before the style was there is drawn now.
    map.once('style.load', () => {
      this.ready = true
      map.addImage(hatch, hatchOf(first.look.palette.ink), { pixelRatio: 2 })
      const { look, tiles } = this
      this.look = first.look
      this.tiles = first.tiles
      this.setLook(look)
      this.setTiles(tiles)
      this.marks.draw()
      this.accuracy.draw()
      this.fresh.draw()
      this.drawCases()
      this.signs.draw(look.palette)
      this.basemapAddress = first.basemap
      void this.openBasemap()
    })
    map.on('load', () => this.rested('room'))
    map.on('moveend', e => {
      const { by = 'person' } = e as { by?: Mover | 'whole' | null }
      if (by) this.rested(by)
    })
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
      if (!e.tile) return
      this.missing.came(e.sourceId, e.tile.tileID.canonical)
      if (e.sourceId === basemapSource) this.listener.basemapFailed(false)
    })
    // A source's errors carry its id and the tile, which MapLibre's types leave out.
    map.on('error', e => {
      const { sourceId, tile } = e as { sourceId?: string; tile?: FailedTile }
      const { status } = e.error as { status?: number }
      const refused = status === 401 || status === 403
      if (refused && sourceId !== basemapSource) this.listener.refused()
      if (tile) {
        // A tile that failed and is asked for again waits for ever for the worker that it had (MapLibre 6.17), and says
        // nothing when it comes as it was before it failed; without these it is loaded as a new tile is.
        tile.actor = undefined
        tile.etag = undefined
        if (sourceId && sourceId !== basemapSource && !refused) this.missing.lost(sourceId, tile.tileID.canonical)
      }
      if (sourceId === basemapSource) this.listener.basemapFailed(true)
      else this.listener.failed(true)
    })
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

  private async openBasemap(): Promise<void> {
    const url = this.basemapAddress
    if (!url || this.basemapOpening) return
    this.basemapOpening = true
    try {
      this.listener.credited(await this.basemap.open(url, () => this.look))
      this.listener.basemapFailed(false)
    } catch {
      this.listener.basemapFailed(true)
    } finally {
      this.basemapOpening = false
    }
  }

  /** The view stands still: say where. */
  private rested(by: Mover | 'whole'): void {
    if (by !== 'room') {
      this.whole = by === 'whole'
      this.way = null
    }
    this.scaled()
    this.listener.moved(this.whole ? null : this.view(), this.box(), by === 'whole' ? 'person' : by)
  }

  /** What buttons, the legend and a sheet lie over, so that nothing is fitted below them. */
  private padding(container = this.map.getContainer()) {
    if (this.bare) return { top: 8, left: 8, right: 8, bottom: 8 }
    const { touch } = this.look
    const [side, top] = touch ? [16, 68] : [24, 60]
    const free = Math.max(0, container.clientHeight - top - 60)
    return { top, left: side, right: touch ? side : 60, bottom: Math.min(free, this.covered + side) }
  }

  private scaled(): void {
    const { lat } = this.map.getCenter()
    this.listener.scaled((40_075_016.69 * Math.cos((lat * Math.PI) / 180)) / 512 / 2 ** this.map.getZoom())
  }

  /** Everything asked for has come: look at what came. */
  private settle(): void {
    if (this.missing.none) this.listener.failed(false)
    if (this.again.size > 0) {
      const sources = [...this.again]
      this.again.clear()
      for (const source of sources) this.map.refreshTiles(source)
      return
    }
    this.classes.look(this.tiles, this.look)
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
    if (this.ready) return hitAt(this.map, x, y, this.look.touch ? 14 : 6)
    const { lng, lat } = this.map.unproject([x, y])
    return { lon: lng, lat, reports: [], areas: [] }
  }

  /** Draws the city as said: only what differs from what is drawn is changed. */
  setLook(look: Look): void {
    const valueChanged = look.heat !== this.look.heat
    const inkChanged = look.palette.ink !== this.look.palette.ink
    this.look = look
    if (!this.ready) return
    if (inkChanged) this.map.updateImage(hatch, hatchOf(look.palette.ink))
    const next = layers(look)
    restyle(this.map, this.drawn, next)
    this.drawn = next
    this.basemap.setLook(look)
    if (inkChanged) this.signs.draw(look.palette)
    if (valueChanged) {
      this.classes.forget()
      this.classes.look(this.tiles, look)
    }
  }

  /** Draws what was said last without waiting for the next frame. */
  drawNow(): void {
    if (this.ready) this.map.redraw()
  }

  /** A picture of the map as it is once all that was asked for has come. */
  async picture(): Promise<HTMLCanvasElement> {
    // What was said last is asked for with the next frame.
    this.map.triggerRepaint()
    await this.map.once('idle')
    this.map.redraw()
    const drawn = this.map.getCanvas()
    const copy = document.createElement('canvas')
    copy.width = drawn.width
    copy.height = drawn.height
    // Read in the same task as it was drawn: the browser keeps nothing of it afterwards.
    copy.getContext('2d')?.drawImage(drawn, 0, 0)
    return copy
  }

  /** Other addresses for the tiles: another filter, another plan. The old content stays until the new is there. */
  setTiles(tiles: CityTiles): void {
    if (!this.ready) {
      this.tiles = tiles
      return
    }
    for (const source of ['heat', 'reports', 'cases', 'hotspots', 'jurisdictions'] as const) {
      const [was, next] = [this.tiles[source] ?? null, tiles[source] ?? null]
      if (next === was) continue
      if (was === null || next === null) {
        this.replace(source, tiles)
        continue
      }
      if (!this.map.isSourceLoaded(source)) this.again.add(source)
      this.map.getSource<VectorTileSource>(source)?.setTiles([next])
      if (source === 'heat') this.classes.forget()
    }
    this.tiles = tiles
  }

  /** Forgets all tiles of reports and asks for them anew: what the reader may see is no longer what it was. */
  drop(): void {
    this.fresh.clear()
    if (!this.ready) return
    for (const source of ['heat', 'reports', 'cases', 'hotspots'] as const) this.replace(source, this.tiles)
  }

  /** Puts a source in the place of the one there is, of which nothing is kept: not in the map nor on the way. */
  private replace(source: Parameters<typeof tileSource>[1], tiles: CityTiles): void {
    const uses = (l: LayerSpecification) => 'source' in l && l.source === source
    for (const layer of this.drawn) if (uses(layer)) this.map.removeLayer(layer.id)
    this.map.removeSource(source)
    this.again.delete(source)
    this.map.addSource(source, tileSource(tiles, source))
    this.drawn.forEach((layer, i) => {
      if (uses(layer)) this.map.addLayer(layer, this.drawn.slice(i + 1).find(l => !uses(l))?.id)
    })
    if (source === 'heat') this.classes.forget()
  }

  /** Asks for all tiles again, also for those that did not come, and for a basemap that could not be read. */
  recover(): void {
    if (!this.ready) return
    this.missing.forget()
    for (const source of ['heat', 'reports', 'cases', 'hotspots', 'jurisdictions']) this.map.refreshTiles(source)
    if (this.map.getSource(basemapSource)) this.map.refreshTiles(basemapSource)
    else void this.openBasemap()
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
    for (const source of ['heat', 'reports', 'cases', 'hotspots']) {
      // The map refreshes only what it has: what is under way is asked for again once it has come.
      if (!this.map.isSourceLoaded(source)) this.again.add(source)
      this.map.refreshTiles(source, tiles)
    }
  }

  /** Shows reports that came in just now, until their tile has them; a few of them pulse twice. */
  showFresh(reports: readonly (Point & { num: number })[], pulse: boolean): void {
    this.fresh.show(reports, pulse)
  }

  /** Lights a point, or none. */
  mark(which: Mark, point: Point | null): void {
    this.marks.set(which, point)
  }

  /** A pin that can be dragged; `moved` is told where to. It goes with the map. */
  addPin(label: string, color: string, moved: (p: Point) => void): DragPin {
    return new DragPin(this.map, label, color, moved)
  }

  /** Shows cases by themselves, in the colours of their clocks. */
  showCases(cases: readonly (Point & { num: number; colour: string })[]): void {
    this.cases = cases
    this.drawCases()
  }

  private drawCases(): void {
    setPoints(
      this.map,
      'listed',
      this.cases.map(c => ({ lon: c.lon, lat: c.lat, id: c.num, properties: { colour: c.colour } })),
    )
  }

  /** Shows points of patrols, each by how it stands. */
  showSigns(signs: readonly Sign[]): void {
    this.signs.show(signs, this.look.palette)
  }

  /** Shows a point that is being placed, which a person may drag, or none. */
  setPin(at: Point | null, label: string, moved: (to: Point) => void): void {
    this.signs.setPin(at, this.look.palette.primary, label, moved)
  }

  /** Shows how far off a position may be, or no longer. */
  setAccuracy(at: Point | null, radiusM = 0): void {
    this.accuracy.set(at, radiusM)
  }

  /** Says from where in the window on what is below lies under a sheet; null: nothing does. */
  coverFrom(top: number | null): void {
    this.covered = top === null ? 0 : Math.max(0, this.map.getContainer().getBoundingClientRect().bottom - top)
  }

  /** Brings a point into view, moving no more than needed. */
  reveal(p: Point): void {
    const { clientWidth: w, clientHeight } = this.map.getContainer()
    const h = clientHeight - this.covered
    const at = this.map.project([p.lon, p.lat])
    const margin = Math.min(60, w / 5, h / 3)
    if (at.x < margin || at.y < margin || at.x > w - margin || at.y > h - margin) {
      this.send(() => this.map.easeTo({ center: [p.lon, p.lat], offset: this.middle(), duration: 200 }, { by: 'page' }))
    }
  }

  /** Brings an area's middle into view where nothing of the area can be seen. */
  revealArea([west, south, east, north]: Box): void {
    const { clientWidth: w, clientHeight } = this.map.getContainer()
    const [a, b] = [this.map.project([west, north]), this.map.project([east, south])]
    if (a.x < w && b.x > 0 && a.y < clientHeight - this.covered && b.y > this.padding().top) return
    const center: [number, number] = [(west + east) / 2, (south + north) / 2]
    this.send(() => this.map.easeTo({ center, offset: this.middle(), duration: 200 }, { by: 'page' }))
  }

  goTo(p: Point, zoom: number): void {
    this.send(() => this.map.easeTo({ center: [p.lon, p.lat], zoom, offset: this.middle(), duration: 200 }))
  }

  /** Where the middle of what can be seen lies, from the middle of the map. */
  private middle(): [number, number] {
    return [0, this.covered === 0 ? 0 : (this.padding().top - this.covered) / 2]
  }

  /** The view of a link or of the history, at once. */
  jumpTo(v: MapView): void {
    this.map.jumpTo({ center: [v.lon, v.lat], zoom: v.zoom })
  }

  fit(box: Box): void {
    this.send(() => this.map.fitBounds(box, { padding: this.padding(), maxZoom: 17, duration: 200 }))
  }

  /** Goes a way, and goes it on where the map gets more or less room meanwhile, as by what is told of what it goes to. */
  private send(move: () => void): void {
    this.whole = false
    move()
    this.way = this.map.isMoving() ? move : null
  }

  /** What is shown as the whole; a view that shows it follows. */
  setFrame(frame: Box): void {
    this.frame = frame
    if (this.whole) this.showWhole()
  }

  showWhole(animate = true): void {
    this.way = null
    this.map.fitBounds(this.frame, { padding: this.padding(), duration: animate ? 200 : 0 }, { by: 'whole' })
  }

  /** Moves on by so many pixels to the east and to the south. */
  panBy(x: number, y: number): void {
    this.map.panBy([x, y], { duration: 100 })
  }

  zoomBy(steps: number): void {
    this.map.easeTo({ zoom: this.map.getZoom() + steps, duration: 200 })
  }

  /** The map is on paper now, or on the screen again, with the same in its middle, whatever came between. */
  putOnPaper(on: boolean): void {
    const middle = (on ? null : this.screened) ?? this.map.getCenter()
    this.screened = on ? middle : null
    this.resize(middle)
    this.drawNow()
  }

  /** The container changed its size: the whole stays whole, else what is at the left top, or what is given to its middle, stays there. */
  resize(middle?: LngLat): void {
    const { clientWidth: w, clientHeight: h } = this.map.getContainer()
    if (w === 0 || h === 0) return
    const centre = middle ?? this.map.unproject([w / 2, h / 2])
    // The map's own word that it moved would be of a view that nobody asked for.
    this.map.resize({ by: null })
    if (this.whole) this.map.fitBounds(this.frame, { padding: this.padding(), duration: 0 }, { by: 'room' })
    else if (this.way) this.send(this.way)
    else this.map.jumpTo({ center: centre }, { by: 'room' })
  }

  setCursor(cursor: string): void {
    this.map.getCanvas().style.cursor = cursor
  }

  setLabel(label: string): void {
    this.map.getCanvas().setAttribute('aria-label', label)
  }

  remove(): void {
    cancelAnimationFrame(this.hoverFrame)
    this.missing.forget()
    this.basemap.remove()
    this.map.remove()
  }
}
