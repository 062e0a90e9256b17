/** The colours of the page and the map: one typed object a theme, the only place where a colour is written down. */
export interface Palette {
  /** Behind everything. */
  ground: string
  /** Panes, menus, rows. */
  surface: string
  /** A row or button under the pointer. */
  hover: string
  /** The chosen row. */
  chosen: string
  ink: string
  muted: string
  /** Rules between panes and rows. */
  line: string
  /** The outline of fields and buttons: 3:1 against the surface, as WCAG 1.4.11 asks of controls. */
  field: string
  primary: string
  onPrimary: string
  ok: string
  /** For rings, icons and bars; as text use amberInk. */
  amber: string
  amberInk: string
  red: string
  shadow: string
  /** Low to high. */
  heat: readonly [string, string, string, string, string]
  /** Hot and cold spots, in three strengths: the surest last. Red and blue are told apart by all eyes. */
  hot: readonly [string, string, string]
  cold: readonly [string, string, string]
  map: {
    outside: string
    land: string
    city: string
    town: string
    village: string
    grid: string
    microgrid: string
    label: string
    labelMuted: string
    halo: string
    point: string
    pointLine: string
    chosen: string
    fresh: string
    /** The basemap's ground, where there is one: quiet beside the land, so that the city's layers stand out. */
    water: string
    green: string
    building: string
    road: string
    /** What a basemap of pictures is toned down to. */
    raster: { 'raster-opacity': number; 'raster-saturation': number; 'raster-brightness-max': number }
  }
}

export const light: Palette = {
  ground: '#F6F7F9',
  surface: '#FFFFFF',
  hover: '#F0F3F7',
  chosen: '#E6EEF9',
  ink: '#1A2430',
  muted: '#5A6675',
  line: '#E2E7ED',
  field: '#8593A3',
  primary: '#1E5AA8',
  onPrimary: '#FFFFFF',
  ok: '#28704F',
  amber: '#C77700',
  amberInk: '#8A5200',
  red: '#BF2F1F',
  shadow: '0 2px 10px rgb(26 36 48 / 14%)',
  heat: ['#FFF3D0', '#FBC55B', '#EE7E3B', '#C4342B', '#76122F'],
  hot: ['#F4A582', '#D6604D', '#A51526'],
  cold: ['#92C5DE', '#4393C3', '#1F5D9F'],
  map: {
    outside: '#DFE2E4',
    land: '#F2F0EB',
    city: '#3D4A58',
    town: '#66727F',
    village: '#939CA6',
    grid: '#A9B0B8',
    microgrid: '#A9B0B8',
    label: '#24303C',
    labelMuted: '#566270',
    halo: '#F8F7F3',
    point: '#1E5AA8',
    pointLine: '#FFFFFF',
    chosen: '#1E5AA8',
    fresh: '#BF2F1F',
    water: '#D3E0EA',
    green: '#E4EADA',
    building: '#E7E3DB',
    road: '#FFFFFF',
    raster: { 'raster-opacity': 0.6, 'raster-saturation': -0.5, 'raster-brightness-max': 1 },
  },
}

export const dark: Palette = {
  ground: '#0E141B',
  surface: '#161E27',
  hover: '#1E2832',
  chosen: '#1D3048',
  ink: '#E6ECF2',
  muted: '#93A1B0',
  line: '#27323E',
  field: '#65768A',
  primary: '#6FA8F0',
  onPrimary: '#0E141B',
  ok: '#5BBF93',
  amber: '#E8A13A',
  amberInk: '#E8A13A',
  red: '#F2877A',
  shadow: '0 2px 12px rgb(0 0 0 / 50%)',
  heat: ['#76122F', '#C4342B', '#EE7E3B', '#FBC55B', '#FFF3D0'],
  hot: ['#7C3227', '#C4503F', '#FF9A80'],
  cold: ['#1F4E79', '#3C86C6', '#9AD0FF'],
  map: {
    outside: '#0B1016',
    land: '#18212B',
    city: '#A9B7C6',
    town: '#73818F',
    village: '#5A6977',
    grid: '#4C5A67',
    microgrid: '#4C5A67',
    label: '#DCE4EC',
    labelMuted: '#93A1B0',
    halo: '#121A22',
    point: '#6FA8F0',
    pointLine: '#0E141B',
    chosen: '#6FA8F0',
    fresh: '#F2877A',
    water: '#12283B',
    green: '#1A2A26',
    building: '#202B36',
    road: '#2B3743',
    raster: { 'raster-opacity': 0.6, 'raster-saturation': -0.6, 'raster-brightness-max': 0.45 },
  },
}

const variables = [
  'ground',
  'surface',
  'hover',
  'chosen',
  'ink',
  'muted',
  'line',
  'field',
  'primary',
  'onPrimary',
  'ok',
  'amber',
  'amberInk',
  'red',
  'shadow',
] as const satisfies readonly (keyof Palette)[]

/** Sets the palette as CSS variables (`--ground`, `--on-primary`, `--heat-1` …) on an element. */
export function applyPalette(palette: Palette, style: CSSStyleDeclaration): void {
  for (const name of variables) {
    style.setProperty(`--${name.replace(/[A-Z]/g, c => `-${c.toLowerCase()}`)}`, palette[name])
  }
  palette.heat.forEach((colour, i) => {
    style.setProperty(`--heat-${i + 1}`, colour)
  })
  for (const kind of ['hot', 'cold'] as const) {
    palette[kind].forEach((colour, i) => {
      style.setProperty(`--${kind}-${i + 1}`, colour)
    })
  }
  for (const [name, colour] of Object.entries(palette.map)) {
    if (typeof colour === 'string') style.setProperty(`--map-${name.toLowerCase()}`, colour)
  }
}
