using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Xunit.Abstractions;

namespace Sketch.Tests.Integration;

/// <summary>A disk that is really full: a small tmpfs under the log of a real node. Mounting it needs root.</summary>
public sealed class DiskFullTests(ITestOutputHelper output)
{
    private const string Namespace = "full";

    [Fact]
    public async Task A_full_disk_is_answered_with_507_reads_go_on_and_so_does_counting_once_there_is_space()
    {
        if (Environment.UserName != "root")
        {
            output.WriteLine("SKIPPED: mounting a small disk needs root.");
            return;
        }

        string log = "";
        try
        {
            await using NodeProcess node = await NodeProcess.StartNewIn(
                async folder =>
                {
                    log = Path.Combine(folder, "log");
                    Directory.CreateDirectory(log);
                    await File.WriteAllTextAsync(Path.Combine(folder, "node.lock"), "");
                    await Command.Run("mount", ["-t", "tmpfs", "-o", "size=3m", "tmpfs", log]);
                },
                "--no-demo", "--window", "1");
            using HttpClient client = new() { BaseAddress = node.Http };
            using HttpResponseMessage made = await client.PutAsJsonAsync($"/v1/namespaces/{Namespace}", new { tier = "strong" });
            Assert.True(made.IsSuccessStatusCode, await made.Content.ReadAsStringAsync());

            long sequence = 0;
            HttpStatusCode status;
            while ((status = await Send(client, ++sequence)) == HttpStatusCode.OK)
            {
                Assert.True(sequence < 2_000, "the disk did not fill up");
            }

            Assert.Equal(HttpStatusCode.InsufficientStorage, status);
            Assert.Equal(HttpStatusCode.InsufficientStorage, await Send(client, sequence));
            Assert.Equal(sequence - 1, await Value(client));
            using HttpResponseMessage ready = await client.GetAsync(new Uri("/health/ready", UriKind.Relative));
            Assert.Equal(HttpStatusCode.OK, ready.StatusCode);

            await Command.Run("mount", ["-o", "remount,size=64m", log]);
            Assert.Equal(HttpStatusCode.OK, await Send(client, sequence));
            Assert.Equal(HttpStatusCode.OK, await Send(client, sequence));
            Assert.Equal(sequence, await Value(client));

            await node.Kill();
            await node.Start();
            Assert.Equal(sequence, await Value(client));
            output.WriteLine($"full after {sequence - 1} batches");
            await node.Kill();
            await Command.Run("umount", [log]);
            log = "";
        }
        finally
        {
            if (log.Length > 0)
            {
                await Command.Run("umount", ["-l", log]);
            }
        }
    }

    private static async Task<HttpStatusCode> Send(HttpClient client, long sequence)
    {
        using HttpResponseMessage answer = await client.PostAsJsonAsync($"/v1/namespaces/{Namespace}/increments", new
        {
            producer = "filler",
            sequence,
            increments = Enumerable.Range(0, 500).Select(i => new { name = i == 0 ? "counted" : $"some-name-{i}", delta = 1 }),
        });
        return answer.StatusCode;
    }

    private static async Task<long> Value(HttpClient client)
    {
        string body = await client.GetStringAsync(new Uri($"/v1/namespaces/{Namespace}/counters/counted", UriKind.Relative));
        return JsonDocument.Parse(body).RootElement.GetProperty("value").GetInt64();
    }
}
