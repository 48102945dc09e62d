using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Sketch.Realtime;
using Sketch.Realtime.Alerts;

namespace Sketch.Tests.Realtime;

public sealed class WebhookTests
{
    private const string Secret = "a secret of some length";

    [Fact]
    public async Task Changes_are_delivered_signed_in_order_and_again_until_they_are_taken()
    {
        var received = new ConcurrentQueue<(string Delivery, bool IsSigned, string State)>();
        int refusals = 3;
        await using var target = await ServeAsync(async context =>
        {
            byte[] body = await ReadAsync(context);
            bool signed = context.Request.Headers[WebhookSender.SignatureHeader]
                == WebhookSender.Sign(Secret, context.Request.Headers[WebhookSender.TimestampHeader]!, body);
            var content = JsonDocument.Parse(body).RootElement;
            string delivery = content.GetProperty("delivery").GetString()!;
            Assert.Equal(delivery, context.Request.Headers[WebhookSender.DeliveryHeader]);
            received.Enqueue((delivery, signed, content.GetProperty("alert").GetProperty("state").GetString()!));
            context.Response.StatusCode = Interlocked.Decrement(ref refusals) >= 0 ? 500 : 204;
        });
        await using var host = await LiveHost.StartAsync();
        await host.Alerts.PutAsync(Rule(target), default);
        host.Reader.Set("a", 500);
        await host.JudgeAsync();
        host.Reader.Set("a", 1);
        await host.JudgeAsync();

        // The clock is moved on until the pauses are over.
        await Eventually.TrueAsync(
            () =>
            {
                host.Time.Advance(TimeSpan.FromMilliseconds(250));
                return host.Alerts.Find(MemoryReader.Namespace, "hook")!.Webhook!.Delivered == 2;
            },
            "both deliveries");

        var all = received.ToArray();
        Assert.Equal(["firing", "firing", "firing", "firing", "ok"], all.Select(r => r.State));
        Assert.Single(all.Take(4).Select(r => r.Delivery).Distinct());
        Assert.NotEqual(all[3].Delivery, all[4].Delivery);
        Assert.All(all, r => Assert.True(r.IsSigned));
        var webhook = host.Alerts.Find(MemoryReader.Namespace, "hook")!.Webhook!;
        Assert.Equal((2L, 0L, 0, (string?)null), (webhook.Delivered, webhook.Failed, webhook.Pending, webhook.LastError));
    }

    [Fact]
    public async Task An_alert_that_was_told_is_not_told_again_after_a_restart_and_one_that_was_not_is()
    {
        var received = new ConcurrentQueue<string>();
        bool refuses = true;
        await using var target = await ServeAsync(async context =>
        {
            bool refused = Volatile.Read(ref refuses);
            string state = JsonDocument.Parse(await ReadAsync(context)).RootElement.GetProperty("alert").GetProperty("state").GetString()!;
            received.Enqueue(refused ? "refused" : state);
            context.Response.StatusCode = refused ? 500 : 204;
        });
        string folder = Directory.CreateTempSubdirectory().FullName;
        try
        {
            await using (var first = await StartAsync(500))
            {
                await first.Alerts.PutAsync(Rule(target), default);
                await first.JudgeAsync();
                await Eventually.TrueAsync(() => !received.IsEmpty, "a refused delivery");
            }

            Volatile.Write(ref refuses, false);
            DateTime since;
            await using (var second = await StartAsync(500))
            {
                await second.JudgeAsync();
                await Eventually.TrueAsync(() => Alert(second).Webhook!.Delivered == 1, "the delivery, told again");
                since = Alert(second).Since;
                await second.JudgeAsync();
            }

            await using (var third = await StartAsync(500))
            {
                Assert.Equal(("firing", since), (Alert(third).State, Alert(third).Since));
                await third.JudgeAsync();
                Assert.Equal(("firing", since, 0), (Alert(third).State, Alert(third).Since, Alert(third).Webhook!.Pending));
            }

            // It calmed while the node was away: that is told.
            await using var fourth = await StartAsync(1);
            await fourth.JudgeAsync();
            await Eventually.TrueAsync(() => Alert(fourth).Webhook!.Delivered == 1, "the end of the alert");
            Assert.Equal(["firing", "ok"], received.Where(state => state != "refused"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        async Task<LiveHost> StartAsync(long value)
        {
            var host = await LiveHost.StartAsync(options => options.DataFolder = folder);
            host.Reader.Set("a", value);
            return host;
        }

        static Alert Alert(LiveHost host) => host.Alerts.Find(MemoryReader.Namespace, "hook")!;
    }

    [Fact]
    public async Task A_target_that_never_answers_well_holds_a_bounded_number_and_stops_no_other()
    {
        await using var bad = await ServeAsync(context =>
        {
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        });
        int taken = 0;
        await using var good = await ServeAsync(_ =>
        {
            Interlocked.Increment(ref taken);
            return Task.CompletedTask;
        });
        await using var host = await LiveHost.StartAsync();
        await host.Alerts.PutAsync(Rule(bad) with { Id = "bad" }, default);
        await host.Alerts.PutAsync(Rule(good), default);
        for (int i = 0; i < 40; i++)
        {
            host.Reader.Set("a", i % 2 == 0 ? 500 : 1);
            await host.JudgeAsync();
            int expected = i + 1;
            await Eventually.TrueAsync(() => Volatile.Read(ref taken) == expected, "the good target to hear of it");
        }

        var webhook = host.Alerts.Find(MemoryReader.Namespace, "bad")!.Webhook!;
        Assert.InRange(webhook.Pending, 1, WebhookSender.MaxWaitingOfRule);
        Assert.Equal(0, webhook.Delivered);
    }

    [Theory]
    [InlineData("http://127.0.0.1:9000/hook", true)]
    [InlineData("https://localhost/hook?a=b", true)]
    [InlineData("http://[::1]:9000/", true)]
    [InlineData("http://hooks.example.org/x", true)]
    [InlineData("http://a.b.example.com/x", true)]
    [InlineData("http://example.com/x", false)]
    [InlineData("http://example.org/x", false)]
    [InlineData("http://hooks.example.org.evil.test/x", false)]
    [InlineData("http://localhost.evil.test/x", false)]
    [InlineData("http://10.0.0.7/x", false)]
    [InlineData("http://169.254.169.254/latest", false)]
    [InlineData("http://0.0.0.0:9000/x", false)]
    [InlineData("http://user:pass@127.0.0.1/x", false)]
    [InlineData("http://127.0.0.1/x#part", false)]
    [InlineData("ftp://127.0.0.1/x", false)]
    [InlineData("file:///etc/passwd", false)]
    [InlineData("/hook", false)]
    [InlineData("", false)]
    public void Targets_are_this_machine_and_what_the_operator_names(string url, bool allowed)
    {
        var options = new RealtimeOptions { WebhookHosts = { "hooks.example.org", "*.example.com" } };
        Assert.Equal(allowed, WebhookTargets.Parse(url, options) is not null);
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        int followed = 0;
        await using var target = await ServeAsync(context =>
        {
            if (context.Request.Path == "/elsewhere")
                Interlocked.Increment(ref followed);
            context.Response.Redirect("/elsewhere", permanent: false, preserveMethod: true);
            return Task.CompletedTask;
        });
        await using var host = await LiveHost.StartAsync();
        await host.Alerts.PutAsync(Rule(target), default);
        host.Reader.Set("a", 500);
        await host.JudgeAsync();
        await Eventually.TrueAsync(
            () => host.Alerts.Find(MemoryReader.Namespace, "hook")!.Webhook!.LastError == "the target answered 307", "the redirect to be refused");
        Assert.Equal(0, Volatile.Read(ref followed));
    }

    private static AlertRule Rule(WebApplication target) => new(
        MemoryReader.Namespace, "hook", "a", false, true, 100, true, 0.99, 5, 0, new AlertTarget(new Uri(new Uri(target.Urls.Single()), "hook"), Secret));

    private static async Task<byte[]> ReadAsync(HttpContext context)
    {
        var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        return body.ToArray();
    }

    private static async Task<WebApplication> ServeAsync(RequestDelegate answer)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        app.Run(answer);
        await app.StartAsync();
        return app;
    }
}
