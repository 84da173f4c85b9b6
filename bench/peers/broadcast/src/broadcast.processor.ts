import { Agent } from 'node:http';
import { Processor, WorkerHost } from '@nestjs/bullmq';
import { InjectRepository } from '@nestjs/typeorm';
import axios from 'axios';
import { Job } from 'bullmq';
import { Repository } from 'typeorm';
import { Recipient, SentMessage } from './entities';

export interface Send {
  recipientId: string;
  phone: string;
  name: string;
}

const meta = axios.create({
  baseURL: process.env.GRAPH_URL,
  headers: { Authorization: 'Bearer token' },
  httpAgent: new Agent({ keepAlive: true }),
});

/** One job, one message: call Meta, then record what was sent. */
@Processor('broadcast', {
  concurrency: Number(process.env.CONCURRENCY ?? 200),
  limiter: { max: Number(process.env.PER_SECOND ?? 1000), duration: 1000 },
})
export class BroadcastProcessor extends WorkerHost {
  constructor(
    @InjectRepository(Recipient) private readonly recipients: Repository<Recipient>,
    @InjectRepository(SentMessage) private readonly sent: Repository<SentMessage>,
  ) {
    super();
  }

  async process(job: Job<Send>): Promise<void> {
    const { recipientId, phone, name } = job.data;
    const payload = {
      messaging_product: 'whatsapp',
      recipient_type: 'individual',
      to: phone,
      type: 'template',
      template: {
        name: 'autumn',
        language: { code: 'en' },
        components: [{ type: 'body', parameters: [{ type: 'text', text: name.split(' ')[0] }] }],
      },
    };
    const answer = await meta.post('/v25.0/1000/messages', payload);
    await this.sent.save(
      this.sent.create({
        recipientId,
        metaMessageId: answer.data.messages[0].id,
        payload,
        status: 'accepted',
      }),
    );
    await this.recipients.update({ id: recipientId }, { status: 'sent' });
  }
}
