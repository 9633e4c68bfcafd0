/** Which topics carry measurements and which must never be written, by their levels. */
import { topicPrefix } from '../../schemas/mqtt.ts'

const sensors = new RegExp(`^${topicPrefix}/[^/]*/sensors(/.*)?$`, 's')
const control = new RegExp(`^${topicPrefix}/[^/]*/control(/.*)?$`, 's')

/** What `sensorSubscription` matches, whatever stands for the vessel. */
export const isSensorTopic = (topic: string): boolean => sensors.test(topic)

/** Write-back to the plant does not exist. */
export const isControlTopic = (topic: string): boolean => control.test(topic)
