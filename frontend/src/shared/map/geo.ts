/** What the map's modules and its users share: where things are, and where tiles come from. */
export interface Point {
  lon: number
  lat: number
}
export interface MapView extends Point {
  zoom: number
}
/** west, south, east, north in degrees. */
export type Box = [number, number, number, number]

/** Addresses of the city's tiles, with {z}, {x} and {y}; null where there is nothing to ask for. */
export interface CityTiles {
  jurisdictions: string
  heat: string | null
  /** The zoom beyond which there is no heat to ask for; else as deep as the rest. */
  heatZoom?: number
  reports: string | null
  /** Open cases, or those that are asked for. */
  cases: string | null
  /** Hot and cold spots. */
  hotspots?: string | null
}
