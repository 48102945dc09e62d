using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Xunit.Abstractions;

namespace Sketch.Tests.Integration;

/// <summary>kill -9 at random moments, again and again, while three producers of each tier send; what they know is kept outside of the node.</summary>
public sealed class KillTests(ITestOutputHelper output)
{
    private const int Kills = 50;
    private const int Seed = 20_261_124;
    private static readonly string[] Tiers = ["strong", "eventual", "approximate"];
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(8);

    [Fact]
    public async Task Fifty_kills_lose_nothing_and_count_nothing_twice()
    {
        Random random = new(Seed);
        using CancellationTokenSource deadline = new(Deadline);
        using CancellationTokenSource sending = new();
        await using NodeProcess node = await NodeProcess.StartNew("--no-demo", "--window", "1");
        using HttpClient client = new() { Timeout = TimeSpan.FromSeconds(10) };
        foreach (string tier in Tiers)
        {
            using HttpResponseMessage made = await client.PutAsJsonAsync(new Uri(node.Http, $"/v1/namespaces/{tier}"), new { tier });
            Assert.True(made.IsSuccessStatusCode, await made.Content.ReadAsStringAsync());
        }

        Producer[] producers = [.. Tiers.SelectMany(tier => Enumerable.Range(0, 3).Select(n => new Producer(node.Http, tier, $"{tier}-{n}", random.Next())))];
        Task[] work = [.. producers.Select(producer => Task.Run(() => producer.SendAsync(sending.Token)))];
        long started = Stopwatch.GetTimestamp();
        for (int kill = 1; kill <= Kills; kill++)
        {
            // Mostly while the node counts; sometimes a moment later, when windows are being stored.
            await Task.Delay(random.Next(8) == 0 ? random.Next(2_000) : random.Next(250), deadline.Token);
            await CheckReads(client, node, producers);
            await node.Kill();
            await node.Start();
        }

        output.WriteLine($"{Kills} kills in {Stopwatch.GetElapsedTime(started).TotalSeconds:F0} s");
        await CheckReads(client, node, producers);
        await sending.CancelAsync();
        await Task.WhenAll(work).WaitAsync(deadline.Token);
        foreach (Producer producer in producers)
        {
            await producer.SettleAsync(deadline.Token);
        }

        output.WriteLine(
            $"{producers.Sum(p => p.Acknowledged)} batches acknowledged, {producers.Sum(p => p.Retried)} of them after an answer that was lost, {producers.Sum(p => p.Duplicates)} had been counted already");
        Assert.True(producers.Sum(p => p.Retried) >= Kills / 2, "too few batches were under way at the kills: the test would show nothing");
        Assert.All(producers, producer => Assert.True(producer.Acknowledged > Kills));
        await CheckTotals(client, node, producers, deadline.Token);
    }

    /// <summary>At any time: acknowledged before the read is not above, and acknowledged and unknown after it not below what is read.</summary>
    private static async Task CheckReads(HttpClient client, NodeProcess node, Producer[] producers)
    {
        foreach (string tier in Tiers)
        {
            string[] names = Producer.Names;
            Dictionary<string, long> least = Sum(producers, tier, p => p.Least);
            Dictionary<string, JsonElement> values = await Read(client, node, tier, names);
            Dictionary<string, long> most = Sum(producers, tier, p => p.Most);
            foreach (string name in names)
            {
                (long lower, long upper) = values.TryGetValue(name, out JsonElement value)
                    ? (value.GetProperty("lower").GetInt64(), value.GetProperty("upper").GetInt64())
                    : (0, 0);
                Assert.True(upper >= least[name] && lower <= most[name], $"{tier}/{name} reads {lower} to {upper}; acknowledged {least[name]}, at most {most[name]}");
            }
        }
    }

    private static async Task CheckTotals(HttpClient client, NodeProcess node, Producer[] producers, CancellationToken cancellationToken)
    {
        foreach (string tier in Tiers)
        {
            Dictionary<string, long> truth = Sum(producers, tier, p => p.Least);
            Assert.Equal(truth, Sum(producers, tier, p => p.Most));
            Dictionary<string, JsonElement> values = await Read(client, node, tier, Producer.Names);
            while (!values.Values.All(value => value.GetProperty("exact").GetBoolean()))
            {
                await Task.Delay(100, cancellationToken);
                values = await Read(client, node, tier, Producer.Names);
            }

            Assert.Equal(truth, values.ToDictionary(v => v.Key, v => v.Value.GetProperty("value").GetInt64()));
        }
    }

    private static Dictionary<string, long> Sum(Producer[] producers, string tier, Func<Producer, Func<string, long>> of) =>
        Producer.Names.ToDictionary(name => name, name => producers.Where(p => p.Tier == tier).Sum(p => of(p)(name)));

    private static async Task<Dictionary<string, JsonElement>> Read(HttpClient client, NodeProcess node, string tier, string[] names)
    {
        using HttpResponseMessage answer = await client.PostAsJsonAsync(new Uri(node.Http, $"/v1/namespaces/{tier}/values"), new { names });
        string body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, body);
        return JsonDocument.Parse(body).RootElement.GetProperty("values").EnumerateArray().ToDictionary(v => v.GetProperty("name").GetString()!);
    }

    /// <summary>Sends batch after batch, several under way at a time; what has no answer is sent again, at once or in the end.</summary>
    private sealed class Producer(Uri node, string tier, string name, int seed)
    {
        // A node remembers the last 256 sequences of a producer.
        private const int MostBehind = 150;
        private readonly Lock _gate = new();
        private readonly Random _random = new(seed);
        private readonly Dictionary<string, long> _acknowledged = Names.ToDictionary(n => n, _ => 0L);
        private readonly Dictionary<string, long> _unknown = Names.ToDictionary(n => n, _ => 0L);
        private readonly List<Batch> _open = [];
        private long _sequence;

        public static string[] Names { get; } = [.. Enumerable.Range(0, 12).Select(i => $"c{i}")];

        public string Tier => tier;

        public long Acknowledged { get; private set; }

        public long Retried { get; private set; }

        public long Duplicates { get; private set; }

        public long Least(string counter)
        {
            lock (_gate)
            {
                return _acknowledged[counter];
            }
        }

        public long Most(string counter)
        {
            lock (_gate)
            {
                return _acknowledged[counter] + _unknown[counter];
            }
        }

        public async Task SendAsync(CancellationToken cancellationToken)
        {
            using HttpClient client = new() { Timeout = TimeSpan.FromSeconds(10) };
            while (!cancellationToken.IsCancellationRequested)
            {
                Batch? oldest = _open.MinBy(b => b.Sequence);
                Batch batch = oldest is not null && _sequence - oldest.Sequence >= MostBehind ? oldest
                    : _open.Count > 0 && _random.Next(3) == 0 ? _open[_random.Next(_open.Count)]
                    : New();
                _open.Remove(batch);
                Batch[] sent = _random.Next(20) == 0 ? [batch, batch] : [batch];
                bool[] answered = await Task.WhenAll(sent.Select(b => SendAsync(client, b)));
                if (!answered.Contains(true))
                {
                    batch.IsRetry = true;
                    _open.Add(batch);
                    await Task.Delay(5, CancellationToken.None);
                }
            }
        }

        /// <summary>Sends what has no answer until it has one.</summary>
        public async Task SettleAsync(CancellationToken cancellationToken)
        {
            using HttpClient client = new() { Timeout = TimeSpan.FromSeconds(10) };
            while (_open.MinBy(b => b.Sequence) is { } batch)
            {
                if (await SendAsync(client, batch))
                {
                    _open.Remove(batch);
                }
                else
                {
                    await Task.Delay(20, cancellationToken);
                }
            }
        }

        private Batch New()
        {
            Batch batch = new(++_sequence, [.. Enumerable.Range(0, _random.Next(1, 20)).Select(_ => (Names[_random.Next(Names.Length)], (long)_random.Next(1, 100)))]);
            Count(_unknown, batch, 1);
            return batch;
        }

        private async Task<bool> SendAsync(HttpClient client, Batch batch)
        {
            try
            {
                using HttpResponseMessage answer = await client.PostAsJsonAsync(new Uri(node, $"/v1/namespaces/{tier}/increments"), new
                {
                    producer = name,
                    sequence = batch.Sequence,
                    increments = batch.Increments.Select(i => new { name = i.Name, delta = i.Delta }),
                });
                if (answer.StatusCode != HttpStatusCode.OK)
                {
                    Assert.True(
                        answer.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests,
                        $"{name}/{batch.Sequence} was answered with {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
                    return false;
                }

                Acknowledge(batch, JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("duplicate").GetBoolean());
                return true;
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException or IOException)
            {
                return false;
            }
        }

        private void Acknowledge(Batch batch, bool duplicate)
        {
            lock (_gate)
            {
                if (batch.IsAcknowledged)
                {
                    return;
                }

                batch.IsAcknowledged = true;

                Acknowledged++;
                Retried += batch.IsRetry ? 1 : 0;
                Duplicates += batch.IsRetry && duplicate ? 1 : 0;
                Count(_unknown, batch, -1);
                Count(_acknowledged, batch, 1);
            }
        }

        private void Count(Dictionary<string, long> sums, Batch batch, int sign)
        {
            lock (_gate)
            {
                foreach ((string counter, long delta) in batch.Increments)
                {
                    sums[counter] += sign * delta;
                }
            }
        }
    }

    /// <summary>A batch, and whether some send of it was acknowledged already.</summary>
    private sealed class Batch(long sequence, (string Name, long Delta)[] increments)
    {
        public long Sequence => sequence;

        public (string Name, long Delta)[] Increments => increments;

        /// <summary>An earlier send got no answer.</summary>
        public bool IsRetry { get; set; }

        public bool IsAcknowledged { get; set; }
    }
}
