using System.Text;
using System.Text.Json;
using Sketch.Engine;
using Sketch.Engine.Increments;

namespace Sketch.Server.Rest;

/// <summary>
/// Reads a body of increments straight into a batch: names go from the body's bytes to the batch's columns, no string an increment.
/// The first thing wrong ends it; the caller then drops the whole batch.
/// </summary>
internal ref struct IncrementReader
{
    private const string ObjectForm = "{\"producer\",\"sequence\",\"increments\":[{\"name\",\"delta\"} or {\"name\",\"element\"}]}";
    private const string LineForm = "lines of {\"name\",\"delta\"} or {\"name\",\"element\"}";
    private static readonly string IntegerForm = $"a whole number from -{EngineLimits.MaxDelta} to {EngineLimits.MaxDelta}";
    private static readonly string NameForm = $"a string of 1 to {EngineLimits.MaxNameBytes} bytes of UTF-8 without control characters";
    private static readonly string ElementForm = $"a string of 1 to {EngineLimits.MaxElementBytes} bytes of UTF-8";
    private static readonly string CountForm = $"1 to {EngineLimits.MaxBatchIncrements} increments";

    // A name may be six times as long escaped; anything longer than a name is refused by its length before it is copied.
    private const int MaxEscapedNameBytes = 6 * EngineLimits.MaxNameBytes;

    private readonly IncrementBatch _batch;
    private readonly Span<byte> _unescaped;
    private readonly Span<byte> _unescapedElement;

    private IncrementReader(IncrementBatch batch, Span<byte> unescaped, Span<byte> unescapedElement)
    {
        _batch = batch;
        _unescaped = unescaped;
        _unescapedElement = unescapedElement;
    }

    /// <summary>Reads {"producer","sequence","increments":[...]}.</summary>
    /// <exception cref="ProblemException">The first thing that is wrong.</exception>
    public static Sender ReadObject(ReadOnlySpan<byte> body, IncrementBatch batch)
    {
        IncrementReader increments = new(batch, stackalloc byte[MaxEscapedNameBytes], stackalloc byte[MaxEscapedNameBytes]);
        try
        {
            return increments.ReadObject(body);
        }
        catch (JsonException failure)
        {
            throw new ProblemException(JsonErrors.Malformed(failure, 0, ObjectForm));
        }
    }

    /// <summary>Reads one {"name","delta"} a line; empty lines are skipped.</summary>
    /// <exception cref="ProblemException">The first thing that is wrong, with its line.</exception>
    public static void ReadLines(ReadOnlySpan<byte> body, IncrementBatch batch)
    {
        IncrementReader increments = new(batch, stackalloc byte[MaxEscapedNameBytes], stackalloc byte[MaxEscapedNameBytes]);
        long line = 0;
        foreach (Range range in body.Split((byte)'\n'))
        {
            ReadOnlySpan<byte> text = body[range].Trim(" \t\r"u8);
            if (!text.IsEmpty)
                increments.ReadLine(text, line);
            line++;
        }

        increments.RequireSome();
    }

    /// <summary>The names in a body that was read before, each once, in order.</summary>
    public static List<string> Names(ReadOnlySpan<byte> body)
    {
        Utf8JsonReader reader = new(body, new JsonReaderOptions { AllowMultipleValues = true });
        HashSet<string> seen = new(StringComparer.Ordinal);
        List<string> names = [];
        while (reader.Read())
        {
            if (reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("name"u8) && reader.Read() && seen.Add(reader.GetString()!))
                names.Add(reader.GetString()!);
        }

        return names;
    }

    private readonly void ReadLine(ReadOnlySpan<byte> text, long line)
    {
        Utf8JsonReader reader = new(text, isFinalBlock: true, state: default);
        try
        {
            reader.Read();
            ReadIncrement(ref reader);
            reader.Read();
        }
        catch (JsonException failure)
        {
            throw new ProblemException(JsonErrors.Malformed(failure, line, LineForm));
        }
        catch (ProblemException refused)
        {
            throw new ProblemException(refused.Problem with { Line = line + 1 });
        }
    }

    private readonly Sender ReadObject(ReadOnlySpan<byte> body)
    {
        Utf8JsonReader reader = new(body, isFinalBlock: true, state: default);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            throw Refuse("body", ref reader, ObjectForm);

        string? producer = null;
        long? sequence = null;
        bool seen = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("increments"u8))
            {
                if (seen)
                    throw new ProblemException(Problem.Invalid("increments", "given twice", "one list"));
                seen = true;
                reader.Read();
                ReadIncrements(ref reader);
            }
            else if (reader.ValueTextEquals("producer"u8))
            {
                reader.Read();
                if (reader.TokenType != JsonTokenType.Null)
                    producer = producer is null ? Sender.ReadProducer(ref reader) : throw Refuse("producer", ref reader, "one producer");
            }
            else if (reader.ValueTextEquals("sequence"u8))
            {
                reader.Read();
                if (reader.TokenType != JsonTokenType.Null)
                    sequence = sequence is null ? Sender.ReadSequence(ref reader) : throw Refuse("sequence", ref reader, "one sequence");
            }
            else
            {
                throw new ProblemException(Problem.Invalid(MemberName(ref reader), "not a member", "producer, sequence, increments"));
            }
        }

        reader.Read();
        RequireSome();
        return Sender.Of(producer, sequence);
    }

    private readonly void ReadIncrements(scoped ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw Refuse("increments", ref reader, "a list of {\"name\",\"delta\"} or {\"name\",\"element\"}");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            ReadIncrement(ref reader);
    }

    private readonly void ReadIncrement(scoped ref Utf8JsonReader reader)
    {
        if (_batch.Count == EngineLimits.MaxBatchIncrements)
            throw new ProblemException(Problem.Invalid("increments", $"more than {EngineLimits.MaxBatchIncrements}", CountForm));
        if (reader.TokenType != JsonTokenType.StartObject)
            throw Refuse(Place(""), ref reader, "an object {\"name\",\"delta\"} or {\"name\",\"element\"}");

        ReadOnlySpan<byte> name = default;
        long delta = 1;
        ReadOnlySpan<byte> element = default;
        bool named = false;
        bool summed = false;
        bool isElement = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("name"u8) && !named)
            {
                named = true;
                reader.Read();
                name = ReadText(ref reader, _unescaped, ".name", NameForm);
            }
            else if (reader.ValueTextEquals("element"u8) && !isElement)
            {
                isElement = true;
                reader.Read();
                element = ReadText(ref reader, _unescapedElement, ".element", ElementForm);
            }
            else if (reader.ValueTextEquals("delta"u8) && !summed)
            {
                summed = true;
                reader.Read();
                if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out delta))
                    throw Refuse(Place(".delta"), ref reader, IntegerForm);
            }
            else
            {
                throw NotAMember(ref reader);
            }
        }

        if (!named)
            throw new ProblemException(Problem.Invalid(Place(".name"), "missing", NameForm));
        if ((isElement ? _batch.AddElement(name, element, summed ? delta : null) : _batch.Add(name, delta)) is { } refused)
            throw new ProblemException(Problem.From(refused, Place("." + refused.Field)));
    }

    private readonly ReadOnlySpan<byte> ReadText(scoped ref Utf8JsonReader reader, Span<byte> unescaped, string member, string form)
    {
        if (reader.TokenType != JsonTokenType.String)
            throw Refuse(Place(member), ref reader, form);
        if (!reader.ValueIsEscaped)
            return reader.ValueSpan;
        if (reader.ValueSpan.Length > MaxEscapedNameBytes)
            throw Refuse(Place(member), ref reader, form);
        try
        {
            return unescaped[..reader.CopyString(unescaped)];
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair, written \ud800, is JSON but not text.
            throw Refuse(Place(member), ref reader, form);
        }
    }

    private readonly void RequireSome()
    {
        if (_batch.Count == 0)
            throw new ProblemException(Problem.Invalid("increments", "empty", CountForm));
    }

    private readonly ProblemException NotAMember(scoped ref Utf8JsonReader reader)
    {
        string member = MemberName(ref reader);
        string value = member is "name" or "delta" or "element" ? "given twice" : "not a member";
        return new ProblemException(Problem.Invalid(Place("." + member), value, "name, delta, element"));
    }

    private readonly string Place(string member) => $"increments[{_batch.Count}]{member}";

    private static string MemberName(scoped ref Utf8JsonReader reader) => Problem.Shorten(Encoding.UTF8.GetString(reader.ValueSpan));

    private static ProblemException Refuse(string field, scoped ref Utf8JsonReader reader, string allowed) =>
        new(Problem.Invalid(field, JsonErrors.Token(ref reader), allowed));
}
