import { Body, Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import { SignatureGuard } from './signature.guard';
import { WebhookService } from './webhook.service';
import type { Delivery } from './webhook.service';

@Controller('webhooks')
export class WebhookController {
  constructor(private readonly webhooks: WebhookService) {}

  @Post('meta')
  @HttpCode(200)
  @UseGuards(SignatureGuard)
  async receive(@Body() delivery: Delivery): Promise<string> {
    await this.webhooks.take(delivery);
    return 'ok';
  }
}
