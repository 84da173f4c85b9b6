import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Queue } from 'bullmq';
import { Repository } from 'typeorm';
import { InboundMessage } from './inbound-message.entity';

interface Message {
  id: string;
}

export interface Delivery {
  entry: {
    changes: { value: { metadata: { phone_number_id: string }; messages?: Message[] } }[];
  }[];
}

@Injectable()
export class WebhookService {
  constructor(
    @InjectRepository(InboundMessage) private readonly messages: Repository<InboundMessage>,
    @InjectQueue('inbound') private readonly queue: Queue,
  ) {}

  /** Keep each message once and queue it for the workers; both are done when this returns. */
  async take(delivery: Delivery): Promise<void> {
    for (const { value } of delivery.entry.flatMap((entry) => entry.changes)) {
      for (const message of value.messages ?? []) {
        await this.messages
          .createQueryBuilder()
          .insert()
          .values({
            messageId: message.id,
            phoneNumberId: value.metadata.phone_number_id,
            payload: message,
          })
          .orIgnore()
          .execute();
        await this.queue.add('message', message, { jobId: message.id });
      }
    }
  }
}
