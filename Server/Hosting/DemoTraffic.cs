using System.Globalization;
using System.Text;
using Sketch.Engine;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Increments;

namespace Sketch.Server.Hosting;

/// <summary>
/// Made-up page views for a node that has nothing of its own yet: a few thousand increments a second through the same door as everyone's,
/// with a Zipf law over pages and a slow wave, so that a dashboard has something to show. The same seed makes the same traffic.
/// </summary>
internal sealed class DemoTraffic : IAsyncDisposable
{
    /// <summary>Where it goes.</summary>
    public const string Namespace = "demo";

    /// <summary>Orders are counted exactly, to show the tier beside the approximate page views.</summary>
    public const string Orders = "orders";

    /// <summary>How many different people came.</summary>
    public const string Visitors = "visitors";

    /// <summary>What they searched for most.</summary>
    public const string Searches = "searches";

    private const int Seed = 20261123;
    private const int Pages = 5_000;
    private const double ZipfExponent = 1.07;
    private const int ViewsPerSecond = 1_000;
    private const int CheckoutEvery = 40;
    private const int SearchEvery = 25;
    private const int People = 5_000_000;
    private const double WaveSeconds = 120;
    private static readonly TimeSpan Beat = TimeSpan.FromMilliseconds(100);
    private static readonly string[] Sections = ["products", "blog", "docs", "help", "search", "account"];
    private static readonly byte[][] Countries = Names("country:", "de", "us", "fr", "jp", "br", "in", "gb", "nl", "se", "pl");
    private static readonly byte[][] Devices = Names("device:", "phone", "desktop", "tablet");
    private static readonly byte[][] Wanted = Names(
        "", "lamp", "desk", "chair", "rug", "shelf", "mirror", "sofa", "clock", "vase", "curtain", "cushion", "stool", "blanket", "frame", "basket", "candle");

    private readonly CountingEngine _engine;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly Random _random = new(Seed);
    private readonly byte[][] _pages = new byte[Pages][];
    private readonly double[] _reach = new double[Pages];
    private Task _running = Task.CompletedTask;

    private DemoTraffic(CountingEngine engine, TimeProvider time)
    {
        _engine = engine;
        _time = time;
        double sum = 0;
        for (int i = 0; i < Pages; i++)
        {
            _pages[i] = Encoding.UTF8.GetBytes(i == 0 ? "page:/" : $"page:/{Sections[i % Sections.Length]}/{i}");
            _reach[i] = sum += Math.Pow(i + 1, -ZipfExponent);
        }
    }

    /// <summary>Makes the namespace and starts sending.</summary>
    public static async Task<DemoTraffic> StartAsync(CountingEngine engine, TimeProvider time, CancellationToken cancellationToken)
    {
        DemoTraffic demo = new(engine, time);
        _ = await engine.DefineNamespaceAsync(new NamespaceDefinition(Namespace), cancellationToken).ConfigureAwait(false);
        await demo.DefineAsync(cancellationToken).ConfigureAwait(false);
        demo._running = Task.Run(demo.SendAsync, CancellationToken.None);
        return demo;
    }

    /// <summary>Stops sending and waits for the last batch.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stop.Dispose();
    }

    private async Task DefineAsync(CancellationToken cancellationToken)
    {
        Dictionary<string, string> sales = new() { ["team"] = "sales" };
        Dictionary<string, string> web = new() { ["team"] = "web" };
        List<CounterDefinition> counters =
        [
            new(Orders, Tier: Tier.Strong, Labels: sales),
            new(Visitors, CounterKind.Distinct, Labels: web),
            new(Searches, CounterKind.Top, Labels: sales),
            .. Devices.Select(name => new CounterDefinition(Encoding.UTF8.GetString(name), Labels: web)),
        ];
        // A refusal would be a counter that the reader made otherwise: it stays theirs.
        foreach (CounterDefinition counter in counters)
            _ = await _engine.DefineCounterAsync(Namespace, counter, cancellationToken).ConfigureAwait(false);
    }

    private async Task SendAsync()
    {
        using PeriodicTimer timer = new(Beat, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
            {
                using IncrementBatch? batch = _engine.RentBatch(Namespace);
                if (batch is null)
                    return;
                Fill(batch);
                // A refusal is overload: the demo gives way to real traffic.
                _ = await _engine.CommitAsync(batch, producer: null, sequence: 0, _stop.Token).ConfigureAwait(false);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException)
        {
            // The node stops.
        }
    }

    private void Fill(IncrementBatch batch)
    {
        double wave = 1 + (0.5 * Math.Sin(2 * Math.PI * _time.GetTimestamp() / _time.TimestampFrequency / WaveSeconds));
        int views = (int)(ViewsPerSecond * Beat.TotalSeconds * wave * (0.8 + (0.4 * _random.NextDouble())));
        Span<byte> person = stackalloc byte[12];
        for (int i = 0; i < views; i++)
        {
            batch.Add(_pages[Page()], 1);
            batch.Add(Countries[Skewed(Countries.Length)], 1);
            batch.Add(Devices[Skewed(Devices.Length)], 1);
            if (_random.Next(CheckoutEvery) == 0)
                batch.Add("orders"u8, 1);
            if (_random.Next(SearchEvery) == 0)
                batch.AddElement("searches"u8, Wanted[Skewed(Wanted.Length)], 1);
            _ = Skewed(People).TryFormat(person, out int digits, provider: CultureInfo.InvariantCulture);
            batch.AddElement("visitors"u8, person[..digits], null);
        }
    }

    private int Page()
    {
        int at = Array.BinarySearch(_reach, _random.NextDouble() * _reach[^1]);
        return at < 0 ? Math.Min(~at, Pages - 1) : at;
    }

    private int Skewed(int count) => Math.Min(_random.Next(count), _random.Next(count));

    private static byte[][] Names(string prefix, params string[] names) => [.. names.Select(name => Encoding.UTF8.GetBytes(prefix + name))];
}
