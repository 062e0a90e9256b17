import {
  type ExpressionSpecification,
  type GeoJSONSource,
  Map as LibreMap,
  type StyleSpecification,
  setWorkerUrl,
} from 'maplibre-gl'
import 'maplibre-gl/dist/maplibre-gl.css'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url'
import { circle } from '../../shared/map/accuracy'
import type { Point } from '../../shared/map/geo'
import type { Palette } from '../../shared/theme/tokens'
import type { Ground, GroundFace } from '../pack'

setWorkerUrl(workerUrl)

export interface GroundMapPlan {
  ground: Ground | null
  palette: Palette
  label: string
  /** What a grid is called in the reader's language. */
  nameOf: (f: GroundFace) => string
  reducedMotion: boolean
}

/** A point, and how far off it may be. */
export type About = Point & { accuracyM?: number }

const fonts = ['PingFang SC', 'Microsoft YaHei', 'Noto Sans SC', 'WenQuanYi Micro Hei', 'sans-serif']

/** The ground as the phone holds it, north up. It asks nobody for anything. */
export class GroundMap {
  protected readonly map: LibreMap
  private ready = false
  private around: About | null = null

  constructor(
    container: HTMLElement,
    private readonly shown: GroundMapPlan,
  ) {
    const own = shown.ground?.grids.filter(g => g.own) ?? []
    this.map = new LibreMap({
      container,
      style: styleOf(shown, shown.palette),
      bounds: boxOf(own) ?? [118, 29, 122, 32],
      fitBoundsOptions: { padding: 24 },
      maxZoom: 20,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      fadeDuration: 0,
      reduceMotion: shown.reducedMotion,
      localIdeographFontFamily: fonts.map(f => `"${f}"`).join(', '),
      renderWorldCopies: false,
    })
    this.map.touchZoomRotate.disableRotation()
    this.map.getCanvas().setAttribute('aria-label', shown.label)
    this.map.on('idle', () => {
      container.dataset.drawn = 'true'
    })
    this.map.on('load', () => {
      this.ready = true
      this.draw()
    })
  }

  setPalette(palette: Palette): void {
    this.map.setStyle(styleOf(this.shown, palette), { diff: true })
    this.map.once('styledata', () => this.draw())
  }

  resize(): void {
    this.map.resize()
  }

  remove(): void {
    this.map.remove()
  }

  /** A circle of what is not known about a point. */
  protected circleAround(spot: About | null): void {
    this.around = spot
    this.draw()
  }

  private draw(): void {
    if (!this.ready) return
    const spot = this.around
    this.map.getSource<GeoJSONSource>('accuracy')?.setData({
      type: 'FeatureCollection',
      features: spot?.accuracyM
        ? [
            {
              type: 'Feature',
              properties: {},
              geometry: { type: 'Polygon', coordinates: [circle(spot, spot.accuracyM)] },
            },
          ]
        : [],
    })
  }
}

function styleOf({ ground, nameOf }: GroundMapPlan, p: Palette): StyleSpecification {
  const { map: c } = p
  const own: ExpressionSpecification = ['==', ['get', 'own'], true]
  const isOwn = new Set<string | undefined>(ground?.grids.filter(g => g.own).map(g => g.code))
  return {
    version: 8,
    sources: {
      grids: { type: 'geojson', data: collection(ground?.grids ?? []) },
      names: { type: 'geojson', data: namesOf(ground?.grids ?? [], nameOf) },
      micro: { type: 'geojson', data: collection(ground?.microgrids.filter(m => isOwn.has(m.parents[0]?.code)) ?? []) },
      accuracy: { type: 'geojson', data: collection([]), tolerance: 0 },
    },
    layers: [
      { id: 'outside', type: 'background', paint: { 'background-color': c.outside } },
      {
        id: 'land',
        type: 'fill',
        source: 'grids',
        paint: { 'fill-color': c.land, 'fill-opacity': ['case', own, 1, 0.5] },
      },
      {
        id: 'micro',
        type: 'line',
        source: 'micro',
        paint: { 'line-color': c.microgrid, 'line-width': 1, 'line-dasharray': [1, 2] },
      },
      {
        id: 'grids',
        type: 'line',
        source: 'grids',
        paint: { 'line-color': c.grid, 'line-width': ['case', own, 2.5, 1] },
      },
      {
        id: 'accuracy-fill',
        type: 'fill',
        source: 'accuracy',
        paint: { 'fill-color': p.primary, 'fill-opacity': 0.12 },
      },
      { id: 'accuracy-line', type: 'line', source: 'accuracy', paint: { 'line-color': p.primary, 'line-width': 1 } },
      {
        id: 'names',
        type: 'symbol',
        source: 'names',
        layout: { 'text-field': ['get', 'name'], 'text-size': ['case', own, 15, 13], 'text-max-width': 8 },
        paint: {
          'text-color': ['case', own, c.label, c.labelMuted],
          'text-halo-color': c.halo,
          'text-halo-width': 1.5,
        },
      },
    ],
  }
}

function collection(faces: readonly GroundFace[]): GeoJSON.FeatureCollection {
  return {
    type: 'FeatureCollection',
    features: faces.map(f => ({
      type: 'Feature',
      properties: { own: f.own ?? false },
      geometry: { type: 'MultiPolygon', coordinates: f.shape },
    })),
  }
}

/** A name stands once in a grid, about in its middle. */
function namesOf(faces: readonly GroundFace[], nameOf: (f: GroundFace) => string): GeoJSON.FeatureCollection {
  return {
    type: 'FeatureCollection',
    features: faces.flatMap(f => {
      const box = boxOf([f])
      if (!box) return []
      const [w, s, e, n] = box
      return [
        {
          type: 'Feature',
          properties: { name: nameOf(f), own: f.own ?? false },
          geometry: { type: 'Point', coordinates: [(w + e) / 2, (s + n) / 2] },
        },
      ]
    }),
  }
}

function boxOf(faces: readonly GroundFace[]): [number, number, number, number] | null {
  const box: [number, number, number, number] = [180, 90, -180, -90]
  for (const f of faces)
    for (const polygon of f.shape)
      for (const [lon, lat] of (polygon[0] ?? []) as [number, number][]) {
        box[0] = Math.min(box[0], lon)
        box[1] = Math.min(box[1], lat)
        box[2] = Math.max(box[2], lon)
        box[3] = Math.max(box[3], lat)
      }
  return box[0] <= box[2] ? box : null
}
