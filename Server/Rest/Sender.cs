using System.Globalization;
using System.Text;
using System.Text.Json;
using Sketch.Engine;

namespace Sketch.Server.Rest;

/// <summary>Who sent a batch and its number there, by which a retry is told from a new batch.</summary>
/// <param name="Producer">Null when the client does not care.</param>
/// <param name="Sequence">From 1; 0 without a producer.</param>
internal readonly record struct Sender(string? Producer, long Sequence)
{
    private static readonly string ProducerForm = $"1 to {EngineLimits.MaxProducerBytes} bytes of UTF-8 without control characters";
    private const string SequenceForm = "a whole number from 1 to 9223372036854775807";

    /// <summary>Checks that both or neither were given.</summary>
    /// <exception cref="ProblemException">Only one was.</exception>
    public static Sender Of(string? producer, long? sequence) => (producer, sequence) switch
    {
        (null, null) => default,
        (null, { } alone) => throw new ProblemException(
            Problem.Invalid("producer", "missing", $"{ProducerForm}, since sequence is {alone}")),
        (_, null) => throw new ProblemException(Problem.Invalid("sequence", "missing", $"{SequenceForm}, since there is a producer")),
        ({ } name, { } number) => new Sender(name, number),
    };

    /// <summary>Both from the query, for bodies that have no place for them.</summary>
    public static Sender Of(string? producer, string? sequence)
    {
        long? number = null;
        if (sequence is not null)
        {
            number = long.TryParse(sequence, NumberStyles.None, CultureInfo.InvariantCulture, out long parsed) && parsed > 0
                ? parsed
                : throw new ProblemException(Problem.Invalid("sequence", sequence, SequenceForm));
        }

        return Of(producer is null ? null : Checked(producer), number);
    }

    /// <summary>The value of a JSON member producer.</summary>
    public static string ReadProducer(ref Utf8JsonReader reader)
    {
        try
        {
            if (reader.TokenType == JsonTokenType.String)
                return Checked(reader.GetString()!);
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair or broken UTF-8: JSON, but not text.
        }

        throw new ProblemException(Problem.Invalid("producer", JsonErrors.Token(ref reader), ProducerForm));
    }

    /// <summary>The value of a JSON member sequence.</summary>
    public static long ReadSequence(ref Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out long sequence) && sequence > 0
            ? sequence
            : throw new ProblemException(Problem.Invalid("sequence", JsonErrors.Token(ref reader), SequenceForm));

    private static string Checked(string producer) =>
        producer.Length > 0 && Encoding.UTF8.GetByteCount(producer) <= EngineLimits.MaxProducerBytes && !producer.Any(char.IsControl)
            ? producer
            : throw new ProblemException(Problem.Invalid("producer", producer, ProducerForm));
}
