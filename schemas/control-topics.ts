/**
 * The control topics of a vessel: `bioprocess/pichia/<vessel>/control/<actuator>`. They exist as names so that a broker can
 * refuse them and a test can listen on them. Nothing of the product publishes there: write-back to the plant does
 * not exist, and a rule keeps this module out of reach of everything on the path of a forecast.
 */
export const actuators = ['stirrer', 'gas_mfc', 'heater_pid', 'base_pump'] as const
export type Actuator = (typeof actuators)[number]

export const controlTopic = (vessel: string, actuator: Actuator) =>
  `bioprocess/pichia/${vessel}/control/${actuator}`

/** One subscription covers every control topic of every vessel. */
export const controlSubscription = 'bioprocess/+/+/control/#'
