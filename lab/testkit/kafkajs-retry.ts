/** kafkajs's admin client asks once; what a broker answers while a topic is new passes by itself. */
import type { KafkaJSError } from "kafkajs";

/** A broker says where a new partition's leader is before that leader knows. Gives up after 5 s. */
export async function withRetry<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      if (tries === maxTries || !(error as KafkaJSError).retriable) throw error;
      await new Promise((resolve) => setTimeout(resolve, betweenMs));
    }
  }
}

const maxTries = 100;
const betweenMs = 50;
