/**
 * Reading noise and trend noise of each tag for the smoother. `noise`: SD of one reading, in the tag's unit (and as a
 * part of its value); `bend`: how much the slope per hour may change within an hour (SD), in unit/h. A fixed pair for all
 * tags would treat a pH of 5 like an agitation of 500.
 * Source of the noise: process description of the batch, simulator parameters; of the bend: the largest curvature of
 * the signal in an undisturbed batch.
 */
import type { Tag, TagDefinition } from '../../schemas/tags.ts'
import type { TrendNoise } from './trend-smoother.ts'

type Spread = { readonly noise: number; readonly relativeNoise?: number; readonly bend: number }

const spreads: Record<Tag, Spread> = {
  pH: { noise: 0.01, bend: 0.3 },
  DO: { noise: 0.5, bend: 30 },
  OD: { noise: 0.02, relativeNoise: 0.01, bend: 4 },
  Gas_MFC_air: { noise: 0.005, bend: 0.01 },
  Stir_SP: { noise: 1, bend: 50 },
  Stir_torque: { noise: 0.5, bend: 5 },
  Reactor_Pressure: { noise: 0.001, bend: 0.005 },
  Temp_Broth: { noise: 0.03, bend: 0.3 },
  Temp_pH_Probe: { noise: 0.03, bend: 0.3 },
  Temp_DO_Probe: { noise: 0.03, bend: 0.3 },
  Temp_Stirrer_Motor: { noise: 0.1, bend: 2 },
  Temp_Exhaust: { noise: 0.03, bend: 0.3 },
  Base_Pump_Rate: { noise: 0.002, bend: 0.01 },
  Weight: { noise: 0.001, bend: 0.005 },
  Heater_PID_out: { noise: 0.5, bend: 5 },
  Off_Gas_CO2: { noise: 0.02, bend: 0.5 },
  Off_Gas_O2: { noise: 0.03, bend: 0.6 },
  Gas_Flow_Inlet: { noise: 0.005, bend: 0.02 },
  Gas_Flow_Outlet: { noise: 0.005, bend: 0.02 },
}

/** `value`: the level before the gap, in the tag's unit. */
export function trendNoise({ tag }: TagDefinition, value: number): TrendNoise {
  const { noise, relativeNoise = 0, bend } = spreads[tag as Tag]
  const sd = noise + relativeNoise * Math.abs(value)
  // (unit/h per √h)² in unit²/s³.
  return { reading: sd * sd, slope: bend ** 2 / 3600 ** 3 }
}
