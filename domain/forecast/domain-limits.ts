/**
 * The limits within which a forecast is given: ranges that training covered, how long a signal may be missing, and
 * how far signals may contradict each other. Part of the feature schema, so that a model's hash covers them.
 */
export const domainLimits = {
  /** Hours after T = 0, and after depletion was seen. */
  longestHours: 30,
  longestAfterDepletionHours: 1.5,
  temperatureCelsius: [28.5, 32.6],
  /** Change of temperature over 10 min, °C. */
  temperatureChangeCelsius: 0.8,
  pH: [4.75, 5.45],
  dissolvedOxygenPercent: [1.2, 115],
  agitationRpm: [390, 1010],
  airLPerMin: [0.9, 1.1],
  pressureBar: [0.98, 1.045],
  /** Minutes without a usable value of a signal that the state rests on. */
  missingMinutes: 5,
  /** The same when three or more of them are gone at once. */
  manyMissing: 3,
  manyMissingMinutes: 1.2,
  /** Mean squared normalised innovation of a signal over about 10 min. */
  surprise: 4,
  /** Mean normalised innovation of a signal over about 10 min, SD. */
  innovation: 1,
  /** A sample this far from what all signals together say of it, SD. */
  sampleInnovation: 3.8,
  /** Sum of squared prior standard deviations of what the filter had to assume of this batch. */
  strain: 25,
  softStrain: 25,
  /** Gain of the online OD probe that the other signals imply, as ln of the ratio. */
  odGain: 0.07,
  /** From here on it widens the interval, by one for each further `doubtPerGain`, up to `mostDoubt`. */
  doubtedOdGain: 0.035,
  doubtPerGain: 0.01,
  mostDoubt: 3,
  /** Part of the glycerol that may be missing unnoticed: lower bounds allow for it. */
  shortGlycerol: 0.12,
  /** Online OD against the soft sensor, SD of the soft sensor. */
  softDifference: 3.2,
  /** Ammonia feed over what growth takes, for 3 min. */
  baseShare: [0.6, 1.6],
  baseShareMinutes: 3,
  /** Change of ln kLa against the vessel's own for 3 min. */
  transferChange: 0.45,
  transferChangeMinutes: 3,
} as const
