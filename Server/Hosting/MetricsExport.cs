using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using Sketch.Engine;

namespace Sketch.Server.Hosting;

/// <summary>
/// The observable instruments of the node's engine and of the runtime in the text format of Prometheus (version 0.0.4). They are asked when a
/// page is, and listened to from the first page on: a node that nobody scrapes pays nothing. Several nodes in one process keep apart.
/// </summary>
internal sealed class MetricsExport(EngineGate gate) : IDisposable
{
    /// <summary>What the page is.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private const string RuntimeMeter = "System.Runtime";

    private readonly Lock _writing = new();
    private readonly SortedDictionary<string, (Instrument Instrument, StringBuilder Lines)> _page = new(StringComparer.Ordinal);
    private MeterListener? _listener;
    private CountingEngine? _engine;

    /// <summary>All instruments as they are now; none of the engine's before it is open.</summary>
    public string Write()
    {
        lock (_writing)
        {
            Listen();
            _page.Clear();
            _listener!.RecordObservableInstruments();
            StringBuilder text = new();
            foreach ((string name, (Instrument instrument, StringBuilder lines)) in _page)
            {
                text.Append("# HELP ").Append(name).Append(' ').Append(Escape(instrument.Description ?? "", quotes: false)).Append('\n');
                text.Append("# TYPE ").Append(name).Append(IsCounter(instrument) ? " counter\n" : " gauge\n");
                text.Append(lines);
            }

            return text.ToString();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _listener?.Dispose();

    private void Listen()
    {
        if (_listener is not null && ReferenceEquals(_engine, gate.EngineOrNull))
            return;
        _listener?.Dispose();
        _engine = gate.EngineOrNull;
        _listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.IsObservable && IsOurs(instrument))
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        _listener.Start();
    }

    private bool IsOurs(Instrument instrument) =>
        instrument.Meter.Name == RuntimeMeter || (_engine is not null && ReferenceEquals(instrument.Meter, _engine.Meter));

    private void Note(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        string name = Name(instrument);
        if (!_page.TryGetValue(name, out (Instrument Instrument, StringBuilder Lines) metric))
            _page[name] = metric = (instrument, new StringBuilder());
        StringBuilder lines = metric.Lines.Append(name);
        for (int i = 0; i < tags.Length; i++)
        {
            string text = Convert.ToString(tags[i].Value, CultureInfo.InvariantCulture) ?? "";
            lines.Append(i == 0 ? '{' : ',').Append(Plain(tags[i].Key)).Append("=\"").Append(Escape(text, quotes: true)).Append('"');
        }

        lines.Append(tags.Length == 0 ? " " : "} ").Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
    }

    // Ours begin with the meter's name, the runtime's with dotnet; a counter's name ends in _total, as Prometheus wants it.
    private static string Name(Instrument instrument) =>
        (instrument.Meter.Name == RuntimeMeter ? "" : "sketch_") + Plain(instrument.Name) + (IsCounter(instrument) ? "_total" : "");

    private static bool IsCounter(Instrument instrument) =>
        instrument is ObservableCounter<long> or ObservableCounter<int> or ObservableCounter<double>;

    private static string Plain(string name) => string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));

    private static string Escape(string text, bool quotes)
    {
        text = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return quotes ? text.Replace("\"", "\\\"", StringComparison.Ordinal) : text;
    }
}
