using Sketch.Engine;
using Sketch.Engine.Catalogue;
using Sketch.Engine.Increments;

namespace Sketch.Tests.Simulation.World;

/// <summary>
/// Producers: they send, send again what is unanswered or already answered, overtake themselves, and share a name. What they know is in the ledger.
/// </summary>
internal sealed class Clients
{
    public const string Strong = "strong";
    public const string Eventual = "eventual";
    public const string Approximate = "approximate";
    public const string Durable = "durable";
    public const string Moving = "moving";

    /// <summary>Its counters go as soon as nobody increments them for a second.</summary>
    public const string Fading = "fading";

    private const int MostOpen = 40;
    private static readonly string[] Namespaces = [Strong, Eventual, Approximate, Durable, Moving, Fading];
    private static readonly string[] Producers = ["ann", "ben", "cy"];

    private readonly Random _random;
    private readonly Node _node;
    private readonly Ledger _ledger;
    private readonly Coverage _coverage;
    private readonly Dictionary<string, long> _sequences = [];
    private readonly Queue<Sent> _heldBack = new();
    private int _confirmed;
    private bool _defined;
    private bool _defining;
    private NodeProcess? _definer;

    public Clients(Random random, Node node, Ledger ledger, Coverage coverage)
    {
        _random = random;
        _node = node;
        _ledger = ledger;
        _coverage = coverage;
    }

    public void Act()
    {
        if (!_defined)
        {
            DefineAll();
            return;
        }

        List<Sent> open = [.. _ledger.Batches.Where(b => b is { State: not SentState.Acknowledged, Producer: not null })];
        int choice = _random.Next(10);
        if (choice < 2 && open.Count > 0)
        {
            SendAgain(open[_random.Next(open.Count)]);
        }
        else if (choice == 2 && _ledger.Batches.Where(b => b is { State: SentState.Acknowledged, Producer: not null }).TakeLast(30).ToArray() is { Length: > 0 } done)
        {
            SendAgain(done[_random.Next(done.Length)]);
        }
        else if (choice == 3 && _heldBack.TryDequeue(out Sent? late))
        {
            _coverage.Hit(Fault.BatchesOvertook, _node.State);
            Send(late);
        }
        else if (open.Count < MostOpen)
        {
            SendNew();
        }
    }

    /// <summary>Creates namespaces, and changes the tier of one or of a counter.</summary>
    public void Define()
    {
        if (!_node.IsOpen || !_defined)
        {
            return;
        }

        Tier tier = (Tier)_random.Next((int)Tier.Strong, (int)Tier.Approximate + 1);
        if (_random.Next(2) == 0)
        {
            _ = Define(_node.Process, engine => engine.DefineNamespaceAsync(Definition(Moving, tier), CancellationToken.None));
        }
        else
        {
            CounterDefinition counter = new($"m{_random.Next(4)}", Tier: tier);
            _ = Define(_node.Process, engine => engine.DefineCounterAsync(Moving, counter, CancellationToken.None));
        }

        _coverage.Hit(Fault.TierSwitched, _node.State);
    }

    /// <summary>Sends what is unanswered until it is answered.</summary>
    public async Task FinishAsync()
    {
        foreach (Sent sent in _heldBack)
        {
            Send(sent);
        }

        _heldBack.Clear();
        await _node.UntilAsync(() => SendOpen() == 0 && _node.Underway == 0, "acknowledging every batch");
    }

    private int SendOpen()
    {
        if (!_defined)
        {
            DefineAll();
        }

        List<Sent> open = [.. _ledger.Batches.Where(b => b is { State: not SentState.Acknowledged, Producer: not null })];
        foreach (Sent sent in open.Where(b => b.Underway == 0).Take(10))
        {
            Send(sent);
        }

        return open.Count;
    }

    private void SendNew()
    {
        string @namespace = Namespaces[_random.Next(Namespaces.Length)];
        string? producer = @namespace != Fading && _random.Next(12) == 0 ? null : Producers[_random.Next(Producers.Length)];
        long sequence = 0;
        if (producer is not null)
        {
            _sequences[producer] = sequence = _sequences.GetValueOrDefault(producer) + 1;
        }

        Sent sent = new(producer, sequence, @namespace, Increments(@namespace, producer is null), @namespace is Strong or Durable);
        _ledger.Batches.Add(sent);
        if (producer is not null && _random.Next(12) == 0)
        {
            _heldBack.Enqueue(sent);
            return;
        }

        Send(sent);
        if (producer is not null && _random.Next(15) == 0)
        {
            // Another client under the same name happens to send the same: which of the two counts makes no difference.
            _coverage.Hit(Fault.ProducerShared, _node.State);
            Send(sent);
        }
    }

    private (string, long)[] Increments(string @namespace, bool anonymous)
    {
        if (@namespace == Approximate && _random.Next(6) == 0)
        {
            // Enough names to fill a small sketch, so that its estimates are wrong; a few are counted so often that they come back into memory.
            int first = _random.Next(1_000);
            return [.. Enumerable.Range(first, 400).Select(i => ($"f{i}", (long)_random.Next(1, 9) * (i % 50 == 0 ? 20 : 1)))];
        }

        string letter = anonymous ? "z" : @namespace == Moving ? "m" : "c";
        bool signed = @namespace is Strong or Eventual;
        return
        [
            .. Enumerable.Range(0, _random.Next(1, 4)).SelectMany(_ =>
            {
                int counter = _random.Next(4);
                long delta = signed && counter == 0 ? _random.Next(-5, 10) : _random.Next(1, 10);
                return new[] { ($"{letter}{counter}", delta), ($"{letter}{counter}'", delta) };
            }),
        ];
    }

    private void SendAgain(Sent sent)
    {
        _coverage.Hit(sent.Underway > 0 ? Fault.BatchSentAgainWhileUnderway : Fault.BatchSentAgainAfterAnswer, _node.State);
        Send(sent);
    }

    private void Send(Sent sent)
    {
        if (_node.IsOpen)
        {
            _ = SendAsync(sent, _node.Process);
        }
    }

    private async Task SendAsync(Sent sent, NodeProcess process)
    {
        if (sent.State == SentState.Unsent)
        {
            _ledger.Move(sent, SentState.Unknown);
        }

        sent.Underway++;
        _node.Underway++;
        IncrementResult result;
        try
        {
            result = await process.CommitAsync(sent);
        }
        catch (Exception error)
        {
            if (!process.IsGone && !process.Disk.Dead)
            {
                _node.Report($"{sent.Producer}/{sent.Sequence} ended with {error}");
            }

            return;
        }

        if (process.IsGone || process.Disk.Dead)
        {
            return;
        }

        sent.Underway--;
        _node.Underway--;
        _node.Trace($"{sent.Producer}/{sent.Sequence} {result.Status} {result.Duplicate} {result.Position}");
        if (result.Status == IncrementStatus.Accepted)
        {
            sent.Position = result.Position;
            _ledger.Move(sent, SentState.Acknowledged);
        }
        else if (result.Status is IncrementStatus.Busy or IncrementStatus.NoSpace or IncrementStatus.LogFull)
        {
            Refused(sent);
        }
        else if (result.Status == IncrementStatus.Unknown)
        {
            sent.IsDoubtful = true;
        }
        else
        {
            _node.Report($"{sent.Producer}/{sent.Sequence} was answered with {result}");
        }
    }

    private void Refused(Sent sent)
    {
        if (sent is { Underway: 0, State: SentState.Unknown, IsDoubtful: false })
        {
            // Refused before anything was written: it must not be counted.
            _ledger.Move(sent, SentState.Unsent);
        }
    }

    private void DefineAll()
    {
        if (_node.IsOpen && (!_defining || _definer != _node.Process))
        {
            _defining = true;
            _definer = _node.Process;
            _ = DefineAll(_definer);
        }
    }

    private async Task DefineAll(NodeProcess process)
    {
        while (_confirmed < Namespaces.Length)
        {
            string name = Namespaces[_confirmed];
            Tier tier = name switch { Strong => Tier.Strong, Eventual => Tier.Eventual, _ => Tier.Approximate };
            if (!await Define(process, engine => engine.DefineNamespaceAsync(Definition(name, tier), CancellationToken.None)))
            {
                _defining = false;
                return;
            }

            _confirmed++;
        }

        _defined = true;
    }

    /// <summary>Whether the definition was confirmed.</summary>
    private async Task<bool> Define(NodeProcess process, Func<CountingEngine, ValueTask<Rejection?>> define)
    {
        try
        {
            Rejection? rejection = await define(process.Engine!);
            return rejection is null && !process.IsGone && !process.Disk.Dead;
        }
        catch (Exception error)
        {
            if (!process.IsGone && !process.Disk.Dead && error is not EngineBusyException)
            {
                _node.Report($"a definition ended with {error}");
            }

            return false;
        }
    }

    private static NamespaceDefinition Definition(string name, Tier tier) => new(name, tier, Durable: name == Durable);
}
