//! The equations of chapter 5.

mod common;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use common::*;
use gradus::persist::Document;
use gradus::random::Random;
use gradus::train::silent;
use gradus::{
    Bytes, CategoricalCrossEntropy, Elementwise, Event, Fit, Float, History, Identity, Init,
    MeanSquaredError, Mnist, Momentum, Network, NeuralNetwork, Optimizer, Registry, Relu, Samples,
    Softmax, Source, Subset, Tanh, one_hot,
};
use ndarray::{Array1, Array2, ArrayRef2};
use rand::rngs::ChaCha8Rng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

// ---------------------------------------------------------------------------------------
// From bytes to batches

/// A pixel is a byte; the network sees it as a number from 0 to 1.
///
/// ```math
/// \begin{gathered}
/// x_{ij} = \frac{u_{ij}}{255} \\
/// 0 \le u_{ij} \le 255 \;\Longrightarrow\; 0 \le x_{ij} \le 1
/// \end{gathered}
/// ```
#[test]
fn pixel_scaling() {
    let bytes = Array2::from_shape_fn((2, 256), |(i, j)| if i == 0 { j } else { 255 - j } as u8);
    let x = images(bytes.clone(), 3, &mut rng(1)).inputs::<f64>();
    for (&x, &b) in x.iter().zip(&bytes) {
        // Multiplying by a rounded 1/255 and dividing by 255 differ in the last bit.
        assert_close(x, f64::from(b) / 255.0, f64::EPSILON);
        assert!((0.0..=1.0).contains(&x), "{x}");
    }
}

/// Bytes that become floats when their batch is gathered are, bit for bit, the rows of the
/// matrix that would have held all floats at once. The batch B is the list of the sample
/// numbers r₁, r₂, ….
///
/// ```math
/// \bigl(\underset{(\lvert B \rvert,\, s_0)}{\mathstrut X_B}\bigr)_{ij}
/// = \tfrac{1}{255}\, u_{r_i\,j}
/// = \bigl(\underset{(n,\, s_0)}{\mathstrut X}\bigr)_{r_i\,j}
/// ```
#[test]
fn byte_batches_are_rows_of_the_float_matrix() {
    let mut rng = rng(2);
    let bytes = Array2::from_shape_simple_fn((37, 9), || rng.random::<u8>());
    let source = images(bytes.clone(), 4, &mut rng);
    let rows: Vec<usize> = (0..11).map(|_| rng.random_range(0..37)).collect();
    let (mut x, mut y) = (Array2::<f32>::zeros((11, 9)), Array2::zeros((11, 4)));
    source.gather(&rows, &mut x, &mut y);
    for ((r, j), x) in x.indexed_iter() {
        let scale = (1.0 / 255.0) as f32;
        assert_eq!(x.to_bits(), (scale * f32::from(bytes[[rows[r], j]])).to_bits());
    }
    let train = |source: &dyn Source<f32>| {
        let mut network = classifier::<f32>(&[9, 5, 4], 3);
        network.fit(source, &fit(3, 8, 1), None, &mut silent).unwrap();
        bits(network.params())
    };
    let scale = (1.0 / 255.0) as f32;
    let labels: Vec<usize> = source.labels().iter().map(|&l| l.into()).collect();
    let floats = bytes.mapv(|b| scale * f32::from(b));
    let floats = Samples::new(floats, one_hot(&labels, 4).unwrap()).unwrap();
    assert_eq!(train(&source), train(&floats));
}

/// A network without an opinion gives each of the m classes the same probability, and every
/// sample costs the logarithm of their number; a training that starts elsewhere starts wrong.
///
/// ```math
/// \begin{aligned}
/// \theta = 0 \;\Longrightarrow\; L &= -\sum_{k=1}^{m} y_k \ln \frac{1}{m} \\
/// &= \ln m \, \sum_{k=1}^{m} y_k = \ln m
/// \end{aligned}
/// ```
#[test]
fn untrained_loss_is_ln_of_classes() {
    let mut rng = rng(3);
    for m in [2, 3, 10] {
        let x = normal((20, 6), 1.5, &mut rng);
        let y = one_hot(&labels(20, m, &mut rng), m).unwrap();
        let mut network = classifier::<f64>(&[6, 5, m], 4);
        network.set_params(&Array1::zeros(network.params().len())).unwrap();
        let (loss, _) = network.loss_and_gradient(&x, &y).unwrap();
        assert_close(loss, (m as f64).ln(), 1e-14);
    }
}

/// An epoch visits all n samples in batches of |B|: the last batch takes what is left.
///
/// ```math
/// \begin{aligned}
/// \text{steps} &= \left\lceil \frac{n}{\lvert B \rvert} \right\rceil \\
/// \lvert B_{\text{last}} \rvert &= n - (\text{steps} - 1)\, \lvert B \rvert
/// \end{aligned}
/// ```
#[test]
fn epoch_steps_and_last_batch() {
    for (n, b) in [(23, 5), (20, 5), (3, 8), (9, 1), (7, 7), (61, 16)] {
        let recorder = Recorder::new(toy::<f64>(n, 2, 3, 5));
        let mut network = classifier::<f64>(&[2, 3], 5);
        network.fit(&recorder, &fit(2, b, 1), None, &mut silent).unwrap();
        let batches = recorder.batches();
        let steps = (n as f64 / b as f64).ceil() as usize;
        assert_eq!(batches.len(), 2 * steps);
        for batch in &batches[..steps - 1] {
            assert_eq!(batch.len(), b);
        }
        assert_eq!(batches[steps - 1].len(), n - (steps - 1) * b);
        assert_eq!(network.training().unwrap().batches(), steps);
    }
}

/// The order π of an epoch leaves no sample out and takes none twice.
///
/// ```math
/// \bigl\{ \pi(1), \dots, \pi(n) \bigr\} = \{ 1, \dots, n \}
/// ```
#[test]
fn epoch_order_is_a_permutation() {
    let n = 53;
    let recorder = Recorder::new(toy::<f64>(n, 2, 3, 6));
    let mut network = classifier::<f64>(&[2, 3], 6);
    network.fit(&recorder, &fit(4, 8, 1), None, &mut silent).unwrap();
    let batches = recorder.batches();
    let mut orders: Vec<Vec<usize>> = batches.chunks(7).map(<[_]>::concat).collect();
    for order in &orders {
        assert_eq!(order.len(), n);
        let mut times = vec![0; n];
        order.iter().for_each(|&row| times[row] += 1);
        assert!((0..n).all(|i| times[i] == 1), "{times:?}");
    }
    orders.dedup();
    assert_eq!(orders.len(), 4, "every epoch has an order of its own");
}

/// Every order is as likely as every other. With 3 samples there are 6 orders; over E = 6000
/// epochs, the squared deviations of their counts O from 1000 each sum to a value that a fair
/// shuffle exceeds once in ten thousand times.
///
/// ```math
/// \begin{aligned}
/// P(\pi) &= \frac11 \cdot \frac12 \cdots \frac1n = \frac{1}{n!} \\
/// \chi^2 &= \sum_{\pi} \frac{\bigl(O_\pi - E\,P(\pi)\bigr)^2}{E\,P(\pi)} \\
/// &< 25.7 \qquad (n = 3)
/// \end{aligned}
/// ```
#[test]
fn shuffle_orders_are_equally_likely() {
    let epochs = 6000;
    let recorder = Recorder::new(toy::<f64>(3, 1, 2, 7));
    let mut network = classifier::<f64>(&[1, 2], 7);
    network.fit(&recorder, &fit(epochs, 3, 1), None, &mut silent).unwrap();
    let mut observed: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
    for order in recorder.batches() {
        *observed.entry(order).or_default() += 1;
    }
    let factorial: usize = (1..=3).product();
    let choices: f64 = (1..=3).map(|places| 1.0 / f64::from(places)).product();
    assert_close(choices, 1.0 / factorial as f64, 1e-15);
    let expected = epochs as f64 * choices;
    assert_eq!(observed.len(), factorial);
    let chi2: f64 = observed.values().map(|&o| (o as f64 - expected).powi(2) / expected).sum();
    // 25.7 is the 0.9999 quantile of χ² with 5 degrees of freedom.
    assert!(chi2 < 25.7, "χ² = {chi2}");
}

/// The loss of an epoch is a sum over all its batches. Broken off after batch k, a training
/// takes the sum so far, Λ, with it into the file, and adds the rest on the other side.
///
/// ```math
/// \begin{aligned}
/// \Lambda_k &= \sum_{l \le k} \lvert B_l \rvert \, L_{B_l} \\
/// L_{\text{epoch}}
/// &= \frac1n \Bigl( \Lambda_k + \sum_{l > k} \lvert B_l \rvert \, L_{B_l} \Bigr)
/// \end{aligned}
/// ```
#[test]
fn epoch_loss_across_a_break() {
    let sizes = [8.0, 8.0, 8.0, 2.0];
    let samples = toy::<f64>(26, 3, 4, 8);
    for k in 1..4 {
        let losses = Mutex::new(Vec::new());
        let noted = |event: Event| {
            if let Event::Batch { loss, .. } = event {
                losses.lock().unwrap().push(loss);
            }
        };
        let mut network = classifier::<f64>(&[3, 6, 4], 8);
        let mut stop = break_after(k);
        network
            .fit(&samples, &fit(1, 8, 2), None, &mut |event| {
                noted(event);
                stop(event)
            })
            .unwrap();
        let sum = |from: usize| -> f64 {
            let losses = losses.lock().unwrap();
            sizes.iter().zip(&*losses).skip(from).map(|(size, loss)| size * loss).sum()
        };
        let so_far = sum(0);
        assert_close(network.training().unwrap().loss_sum, so_far, 1e-13);

        let file = network.to_document().unwrap().to_bytes();
        let document = Document::<f64>::from_bytes(&file).unwrap();
        let mut network = NeuralNetwork::from_document(document, &Registry::default()).unwrap();
        let history: History = network
            .resume(&samples, 1, None, &mut |event| {
                noted(event);
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(losses.lock().unwrap().len(), sizes.len());
        assert_close(history.loss[0], (so_far + sum(k)) / 26.0, 1e-14);
    }
}

/// An answer is 1 if it is right, with probability α, and 0 otherwise. Its mean is α, and this
/// is its variance.
///
/// ```math
/// \begin{aligned}
/// &\alpha\,(1 - \alpha)^2 + (1 - \alpha)\,(0 - \alpha)^2 \\
/// &\quad = \alpha\,(1 - \alpha)\,\bigl[(1 - \alpha) + \alpha\bigr] \\
/// &\quad = \alpha\,(1 - \alpha)
/// \end{aligned}
/// ```
#[test]
fn variance_of_one_answer() {
    let mut rng = rng(9);
    for alpha in [0.0, 0.3, 0.5, 0.98, 1.0] {
        let left = alpha * (1.0 - alpha) * (1.0 - alpha) + (1.0 - alpha) * (0.0 - alpha) * -alpha;
        let middle = alpha * (1.0 - alpha) * ((1.0 - alpha) + alpha);
        assert_close(left, middle, 1e-15);
        assert_close(middle, alpha * (1.0 - alpha), 1e-15);
        // And as the dice fall: the mean of many squared deviations.
        let answers = (0..200_000).map(|_| f64::from(u8::from(rng.random::<f64>() < alpha)));
        let sampled = answers.map(|x| (x - alpha) * (x - alpha)).sum::<f64>() / 200_000.0;
        assert_close(sampled, left, 0.004);
    }
}

/// Of n test samples, k are right: by how much the accuracy k/n scatters from one test set to
/// the next. The variances of n independent answers add; their mean divides by n, squared.
///
/// ```math
/// \begin{aligned}
/// &\sqrt{\sum_{k=0}^{n} \binom{n}{k}\, \alpha^k (1-\alpha)^{n-k}
///   \left(\frac{k}{n} - \alpha\right)^{2}} \\
/// &\quad = \sqrt{\frac{1}{n^2} \cdot n\,\alpha\,(1-\alpha)}
/// = \sqrt{\frac{\alpha\,(1-\alpha)}{n}}
/// \end{aligned}
/// ```
#[test]
fn accuracy_standard_error() {
    for (n, alpha) in [(1_u32, 0.3), (7, 0.5), (40, 0.9), (100, 0.98)] {
        let mut variance = 0.0;
        let mut binomial = 1.0;
        for k in 0..=n {
            let probability = binomial * alpha.pow_u(k) * (1.0 - alpha).pow_u(n - k);
            variance += probability * (f64::from(k) / f64::from(n) - alpha).powi(2);
            binomial *= f64::from(n - k) / f64::from(k + 1);
        }
        let n = f64::from(n);
        assert_close(variance.sqrt(), (1.0 / (n * n) * n * alpha * (1.0 - alpha)).sqrt(), 1e-12);
        assert_close(variance.sqrt(), (alpha * (1.0 - alpha) / n).sqrt(), 1e-12);
    }
}

// ---------------------------------------------------------------------------------------
// What a training is, besides its parameters

/// The velocity in the file is the last step: parameters before and after would be needed to
/// find it, and a file of parameters has only those after.
///
/// ```math
/// v_t = \theta_t - \theta_{t-1}
/// ```
#[test]
fn velocity_is_the_last_step() {
    let samples = toy::<f64>(30, 4, 3, 10);
    let mut network = classifier::<f64>(&[4, 6, 3], 10);
    network.fit(&samples, &fit(5, 30, 1), None, &mut silent).unwrap();
    let before = network.params().clone();
    network.resume(&samples, 6, None, &mut silent).unwrap();
    let velocity = &network.to_document().unwrap().tensors["optimizer.velocity"];
    // The difference of two numbers near 1 has an error of about 1e-16.
    assert_all_close(velocity, &(network.params() - &before).into_dyn(), 1e-14);
    assert!(velocity.iter().any(|v| *v > 1e-4) && velocity.iter().any(|v| *v < -1e-4));
}

/// The first step after the parameters alone were restored (θ′, with velocity zero) misses
/// exactly the share μ of the last step.
///
/// ```math
/// \begin{aligned}
/// \theta_{t+1} &= \theta_t + \mu\, v_t - \eta\, g_t \\
/// \theta'_{t+1} &= \theta_t + \mu \cdot 0 - \eta\, g_t \\
/// \theta_{t+1} - \theta'_{t+1} &= \mu\, v_t \\
/// &= \mu\, (\theta_t - \theta_{t-1})
/// \end{aligned}
/// ```
#[test]
fn parameters_alone_lose_the_velocity() {
    let folder = TempDir::new().unwrap();
    let samples = toy::<f64>(30, 4, 3, 11);
    let all = |epochs| fit(epochs, 30, 1);
    let mut network = classifier::<f64>(&[4, 6, 3], 11);
    network.fit(&samples, &all(4), None, &mut silent).unwrap();
    let before = network.params().clone();
    network.resume(&samples, 5, None, &mut silent).unwrap();
    let at_break = network.params().clone();
    let (_, g) = network.loss_and_gradient(samples.x(), samples.y()).unwrap();
    let (whole, alone) = (folder.path().join("whole"), folder.path().join("alone.npy"));
    network.save(&whole).unwrap();
    network.save_params(&alone).unwrap();

    let mut network = NeuralNetwork::<f64>::load(&whole).unwrap();
    network.resume(&samples, 6, None, &mut silent).unwrap();
    let mut other = classifier::<f64>(&[4, 6, 3], 99);
    other.load_params(&alone).unwrap();
    other.fit(&samples, &all(1), None, &mut silent).unwrap();

    let lost = (&at_break - &before) * MU;
    assert!(lost.iter().any(|v| v.abs() > 1e-3));
    // One batch with all samples, in three orders: sums differ by rounding.
    assert_all_close(network.params(), &(&at_break + &lost - &g * ETA), 1e-14);
    assert_all_close(other.params(), &(&at_break - &g * ETA), 1e-14);
    assert_all_close(&(network.params() - other.params()), &lost, 1e-14);
}

/// As long as both trainings see the same gradients, they drift apart by a geometric series:
/// after many steps, the one that lost its velocity is μ / (1 − μ) times the last step behind.
///
/// ```math
/// \begin{aligned}
/// v_{t+k} - v'_{t+k} &= \mu\, \bigl(v_{t+k-1} - v'_{t+k-1}\bigr) \\
/// &= \mu^k\, v_t \\
/// \theta_{t+k} - \theta'_{t+k} &= \bigl(\mu + \mu^2 + \dots + \mu^k\bigr)\, v_t \\
/// &= \frac{\mu\,(1 - \mu^k)}{1 - \mu}\, v_t
/// \end{aligned}
/// ```
#[test]
fn lost_velocity_is_a_geometric_series() {
    let mut rng = rng(12);
    for mu in [0.0, 0.5, 0.9] {
        let mut whole = Momentum::<f64>::new(0.1, mu).unwrap();
        let mut theta = normal(7, 1.0, &mut rng);
        for _ in 0..6 {
            whole.step(&mut theta, &normal(7, 1.0, &mut rng));
        }
        let v = whole.velocity().to_owned();
        let mut alone = Momentum::<f64>::new(0.1, mu).unwrap();
        let mut theta_prime = theta.clone();
        let mut series = 0.0;
        let mut behind = v.clone();
        for k in 1..=30 {
            let gradient = normal(7, 1.0, &mut rng);
            whole.step(&mut theta, &gradient);
            alone.step(&mut theta_prime, &gradient);
            behind *= mu;
            let velocities = whole.velocity() - alone.velocity();
            assert_all_close(&velocities, &behind, 1e-13);
            assert_all_close(&velocities, &(&v * mu.pow_u(k)), 1e-13);
            series += mu.pow_u(k);
            assert_close(series, mu * (1.0 - mu.pow_u(k)) / (1.0 - mu), 1e-14);
            assert_all_close(&(&theta - &theta_prime), &(&v * series), 1e-13);
        }
    }
}

/// On an even slope, after a start from rest, a break after t steps leaves the training behind
/// by so many steps of full speed. That speed is the limit of the velocity, with index ∞.
///
/// ```math
/// \begin{aligned}
/// v_\infty &= -\frac{\eta\, g}{1 - \mu} \\
/// v_t &= (1 - \mu^t)\, v_\infty \\
/// \lim_{k \to \infty} \bigl(\theta_{t+k} - \theta'_{t+k}\bigr)
/// &= \frac{\mu}{1 - \mu}\, v_t \\
/// &= \frac{\mu\,(1 - \mu^t)}{1 - \mu}\, v_\infty
/// \end{aligned}
/// ```
#[test]
fn lag_on_an_even_slope() {
    let mut rng = rng(31);
    for mu in [0.0, 0.5, 0.9] {
        for t in [1, 4, 10] {
            let g = normal(5, 1.0, &mut rng);
            let mut whole = Momentum::<f64>::new(0.1, mu).unwrap();
            let mut theta = normal(5, 1.0, &mut rng);
            for _ in 0..t {
                whole.step(&mut theta, &g);
            }
            let v = whole.velocity().to_owned();
            let full_speed = &g * (-0.1 / (1.0 - mu));
            assert_all_close(&v, &(&full_speed * (1.0 - mu.pow_u(t))), 1e-14);
            let mut alone = Momentum::<f64>::new(0.1, mu).unwrap();
            let mut theta_prime = theta.clone();
            // By then, 0.9ᵏ is smaller than a rounding.
            for _ in 0..400 {
                whole.step(&mut theta, &g);
                alone.step(&mut theta_prime, &g);
            }
            let lag = theta - theta_prime;
            assert_all_close(&lag, &(v * (mu / (1.0 - mu))), 1e-12);
            let steps = mu * (1.0 - mu.pow_u(t)) / (1.0 - mu);
            assert_all_close(&lag, &(&full_speed * steps), 1e-12);
        }
    }
}

/// A seed, a stream and a position are all there is to a generator: what is drawn next
/// follows from them, however it came there.
///
/// ```math
/// \begin{aligned}
/// &R(\text{seed}, \text{stream}, q)_k \\
/// &\quad = R(\text{seed}, \text{stream}, 0)_{q+k}
/// \end{aligned}
/// ```
#[test]
fn generator_position_restores_the_future() {
    for (seed, stream, q) in [(0, 2, 0), (7, 2, 5), (7, 1, 16), (u64::MAX, 3, 1001)] {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream);
        let words: Vec<u32> = (0..q + 40).map(|_| generator.random()).collect();
        let here = Random { seed, stream, position: q };
        let mut restored = here.generator();
        for k in 0..40 {
            assert_eq!(restored.random::<u32>(), words[(q + k) as usize]);
            assert_eq!(Random::of(seed, &restored).position, q + k + 1);
        }
    }
}

/// The order of an epoch is the shuffle of 1, 2, …, n that the generator makes from where it
/// stands, and batch k is the k-th piece of it.
///
/// ```math
/// \begin{aligned}
/// \pi &= \operatorname{shuffle}\bigl(1, 2, \dots, n;\\
/// &\qquad R(\text{seed}, \text{stream}, q)\bigr) \\
/// B_k &= \bigl(\pi((k - 1) \lvert B \rvert + 1), \\
/// &\qquad \dots,\, \pi(k \lvert B \rvert)\bigr)
/// \end{aligned}
/// ```
#[test]
fn epoch_order_follows_from_the_position() {
    let samples = toy::<f64>(43, 4, 3, 30);
    // An epoch has 6 batches: 12 lies between epochs.
    for b in [2, 9, 12, 17] {
        let mut network = classifier::<f64>(&[4, 6, 3], 30);
        network.fit(&samples, &fit(4, 8, 1), None, &mut break_after(b)).unwrap();
        let training = network.training().unwrap();
        let mut order: Vec<usize> = (0..43).collect();
        order.shuffle(&mut training.random.generator());
        let expected: Vec<&[usize]> = order.chunks(8).skip(training.batch).collect();
        let recorder = Recorder::new(samples.clone());
        let epochs = training.epoch + 1;
        network.resume(&recorder, epochs, None, &mut silent).unwrap();
        let batches = recorder.batches();
        // Broken off after the last batch of an epoch, all that is left is to count it.
        assert_eq!(batches, expected, "after {b} batches");
        assert_eq!(batches.len(), (6 - b % 6) % 6);
    }
}

/// With T the training from one step to another: breaking off anywhere, between two epochs or
/// in the middle of one, saving, loading and going on changes nothing, not one bit.
///
/// ```math
/// \begin{aligned}
/// &T_{t \to \text{end}} \circ \operatorname{load} \circ \operatorname{save} \circ T_{0 \to t} \\
/// &\quad = T_{t \to \text{end}} \circ T_{0 \to t} \\
/// &\quad = T_{0 \to \text{end}}
/// \end{aligned}
/// ```
#[test]
fn resume_law() {
    fn check<F: Float>() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("model");
        let (samples, validation) = (toy::<F>(43, 4, 3, 13), toy::<F>(9, 4, 3, 14));
        for threads in [1, 2] {
            let fit = fit(4, 8, threads);
            let mut whole = classifier::<F>(&[4, 6, 3], 13);
            let whole_history = whole.fit(&samples, &fit, Some(&validation), &mut silent).unwrap();
            // An epoch has 6 batches: 6 and 12 lie between epochs.
            for b in [1, 6, 10, 12, 17, 23] {
                let mut network = classifier::<F>(&[4, 6, 3], 13);
                network.fit(&samples, &fit, Some(&validation), &mut break_after(b)).unwrap();
                network.save(&file).unwrap();
                network.resume(&samples, 4, Some(&validation), &mut silent).unwrap();
                assert_eq!(bits(network.params()), bits(whole.params()), "in memory");
                drop(network);
                let mut network = NeuralNetwork::<F>::load(&file).unwrap();
                let history = network.resume(&samples, 4, Some(&validation), &mut silent).unwrap();
                assert_eq!(bits(network.params()), bits(whole.params()), "{threads} threads, {b}");
                assert_eq!(history, whole_history);
                assert_eq!(network.training(), whole.training());
                let bytes = |n: &NeuralNetwork<F>| n.to_document().unwrap().to_bytes();
                assert_eq!(bytes(&network), bytes(&whole));
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

/// The path that a loaded training must take, computed by hand from the batches it saw: the
/// velocity of the first part is there in the second.
///
/// ```math
/// \begin{aligned}
/// v_{t+1} &= \mu\, v_t - \eta\, \nabla L_{B(t)}(\theta_t) \\
/// \theta_{t+1} &= \theta_t + v_{t+1}
/// \end{aligned}
/// ```
#[test]
fn resumed_path_by_hand() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("model");
    let samples = toy::<f64>(22, 3, 2, 15);
    let mut network = linear(&[3, 2], 15);
    // All weights by rows, then all biases.
    let mut theta = network.params().to_vec();
    let first = Recorder::new(samples.clone());
    network.fit(&first, &fit(3, 5, 1), None, &mut break_after(7)).unwrap();
    network.save(&file).unwrap();
    let mut network = NeuralNetwork::<f64>::load(&file).unwrap();
    let second = Recorder::new(samples.clone());
    network.resume(&second, 3, None, &mut silent).unwrap();

    let batches = [first.batches(), second.batches()].concat();
    assert_eq!(batches.iter().map(Vec::len).sum::<usize>(), 3 * 22);
    let mut v = [0.0; 8];
    for batch in &batches {
        // The mean squared error of ŷ = xW + b, over 2 outputs.
        let mut gradient = [0.0; 8];
        for &row in batch {
            for k in 0..2 {
                let x = samples.x().row(row);
                let y_hat = (0..3).map(|j| x[j] * theta[2 * j + k]).sum::<f64>() + theta[6 + k];
                let d = 2.0 * (y_hat - samples.y()[[row, k]]) / 2.0 / batch.len() as f64;
                (0..3).for_each(|j| gradient[2 * j + k] += x[j] * d);
                gradient[6 + k] += d;
            }
        }
        for i in 0..8 {
            v[i] = MU * v[i] - ETA * gradient[i];
            theta[i] += v[i];
        }
    }
    assert_all_close(network.params(), &Array1::from(theta), 1e-12);
}

// ---------------------------------------------------------------------------------------
// What is in the file

/// What is loaded is what was saved, in every bit: signed zeros, numbers too small to be
/// normal, and the largest included.
///
/// ```math
/// \operatorname{load}\bigl(\operatorname{save}(\theta)\bigr) = \theta
/// ```
#[test]
fn load_inverts_save() {
    fn check<F: Float>(special: &[F]) {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("model");
        for sizes in [&[3, 2][..], &[4, 7, 3], &[2, 3, 5, 2]] {
            let mut network = classifier::<F>(sizes, 16);
            let mut params = network.params().clone();
            for (i, &x) in special.iter().enumerate() {
                params[i] = x;
            }
            network.set_params(&params).unwrap();
            network.save(&file).unwrap();
            let loaded = NeuralNetwork::<F>::load(&file).unwrap();
            assert_eq!(bits(loaded.params()), bits(&params));
            assert_eq!(loaded.sizes(), sizes);
        }
    }
    check(&[-0.0, f32::MIN_POSITIVE / 8.0, f32::MAX, f32::MIN, 0.1, f32::EPSILON, -1e-40]);
    check(&[-0.0, f64::MIN_POSITIVE / 8.0, f64::MAX, f64::MIN, 0.1, f64::EPSILON, -5e-324]);
}

/// The same model makes the same bytes: a file can be compared with another, or named by its
/// digest.
///
/// ```math
/// \operatorname{save} \circ \operatorname{load} \circ \operatorname{save} = \operatorname{save}
/// ```
#[test]
fn same_model_makes_same_bytes() {
    let folder = TempDir::new().unwrap();
    let path = |name| folder.path().join(name);
    for b in [0, 3, 7, 100] {
        let train = || {
            let mut network = classifier::<f32>(&[4, 6, 3], 17);
            let samples = toy::<f32>(20, 4, 3, 17);
            if b > 0 {
                network.fit(&samples, &fit(3, 4, 1), None, &mut break_after(b)).unwrap();
            }
            network
        };
        train().save(path("first")).unwrap();
        train().save(path("again")).unwrap();
        NeuralNetwork::<f32>::load(path("first")).unwrap().save(path("second")).unwrap();
        let first = read(&path("first"));
        assert_eq!(read(&path("again")), first, "two equal trainings");
        assert_eq!(read(&path("second")), first, "saved, loaded and saved");
    }
}

/// The file begins with the length N of its header, in eight bytes, the lowest first.
///
/// ```math
/// N = \sum_{i=0}^{7} 256^{\,i}\, u_i
/// ```
#[test]
fn header_length_in_eight_bytes() {
    for sizes in [&[3, 2][..], &[5, 300, 4], &[2, 3, 4, 5, 6, 7, 3]] {
        let bytes = classifier::<f32>(sizes, 18).to_document().unwrap().to_bytes();
        let n: u64 = (0..8).map(|i| 256_u64.pow(i) * u64::from(bytes[i as usize])).sum();
        // The header ends where its outermost brace closes; spaces fill it to a multiple of 8.
        let json = end_of_json(&bytes[8..]);
        assert_eq!(n, (json as u64).next_multiple_of(8));
        assert!(bytes[8 + json..8 + n as usize].iter().all(|&byte| byte == b' '));
    }
}

/// Header and numbers, and nothing else: with momentum, each of the p parameters is there
/// together with its velocity, in w bytes each.
///
/// ```math
/// \begin{aligned}
/// \text{size} &= 8 + N + 2\,w\,p \\
/// w &= \begin{cases} 4 & \text{for f32} \\ 8 & \text{for f64} \end{cases}
/// \end{aligned}
/// ```
#[test]
fn model_file_size() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("model");
    for sizes in [vec![3, 2], vec![5, 40, 4], vec![2, 3, 4, 6]] {
        let p: usize = sizes.windows(2).map(|s| s[0] * s[1] + s[1]).sum();
        classifier::<f32>(&sizes, 19).save(&file).unwrap();
        let bytes = read(&file);
        assert_eq!(bytes.len(), 8 + header_length(&bytes) + 2 * 4 * p);
        classifier::<f64>(&sizes, 19).save(&file).unwrap();
        let bytes = read(&file);
        assert_eq!(bytes.len(), 8 + header_length(&bytes) + 2 * 8 * p);
    }
}

/// Four bytes are one number of type f32, the lowest first: a sign bit, eight bits of exponent,
/// and 23 bits of fraction. An exponent of 0 or 255 has other rules.
///
/// ```math
/// \begin{aligned}
/// \text{sign} &= \lfloor u_3 / 128 \rfloor \\
/// \text{exponent} &= 2\,(u_3 \bmod 128) \\
/// &\quad + \lfloor u_2 / 128 \rfloor \\
/// \text{fraction} &= 2^{16}\,(u_2 \bmod 128) \\
/// &\quad + 2^{8}\, u_1 + u_0 \\
/// \text{number} &= (-1)^{\text{sign}}\, \Bigl(1 + \frac{\text{fraction}}{2^{23}}\Bigr) \\
/// &\quad \cdot 2^{\,\text{exponent} - 127}
/// \end{aligned}
/// ```
#[test]
fn four_bytes_make_a_float() {
    let network = classifier::<f32>(&[6, 9, 4], 20);
    let bytes = network.to_document().unwrap().to_bytes();
    let (begin, end) = place(&bytes, "weights.0");
    let numbers: Vec<f64> = bytes[begin..end]
        .chunks(4)
        .map(|b| {
            let b: Vec<i32> = b.iter().map(|&b| b.into()).collect();
            let sign = b[3] / 128;
            let exponent = 2 * (b[3] % 128) + b[2] / 128;
            let fraction = f64::from((1 << 16) * (b[2] % 128) + (1 << 8) * b[1] + b[0]);
            (-1_f64).powi(sign) * (1.0 + fraction / 2_f64.powi(23)) * 2_f64.powi(exponent - 127)
        })
        .collect();
    let weights: Vec<f64> = network.weights(0).iter().map(|&w| w.into()).collect();
    assert_eq!(numbers, weights);
    assert!(numbers.iter().any(|&w| w > 0.0) && numbers.iter().any(|&w| w < 0.0));
}

/// Where an entry of a tensor lies: the header names the tensor's first byte o, counted from
/// the end of the header, and rows follow each other. Rows and columns count from 0.
///
/// ```math
/// \begin{aligned}
/// \operatorname{place}\bigl((W_i)_{kj}\bigr)
/// &= 8 + N + o_i \\
/// &\quad + w\,\bigl(k\, s_{i+1} + j\bigr)
/// \end{aligned}
/// ```
#[test]
fn tensor_entry_has_its_place() {
    let sizes = [5, 7, 3];
    let network = classifier::<f64>(&sizes, 21);
    let bytes = network.to_document().unwrap().to_bytes();
    for i in 0..2 {
        let begin = offsets(&bytes, &format!("weights.{i}"))[0];
        for ((k, j), &weight) in network.weights(i).indexed_iter() {
            let at = 8 + header_length(&bytes) + begin + 8 * (k * sizes[i + 1] + j);
            let eight: [u8; 8] = bytes[at..at + 8].try_into().unwrap();
            assert_eq!(f64::from_bits(u64::from_le_bytes(eight)), weight);
        }
    }
}

/// The digest in the header is that of the whole file, with 64 zeros in its own place; so
/// there is no byte whose change goes unnoticed.
///
/// ```math
/// \begin{aligned}
/// &\operatorname{digest} = \operatorname{SHA256}\bigl(\operatorname{blank}(\text{file})\bigr) \\
/// &\operatorname{load}(\text{file with one bit changed}) \\
/// &\quad = \text{error}
/// \end{aligned}
/// ```
#[test]
fn checksum_covers_every_byte() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("model");
    classifier::<f32>(&[3, 4, 2], 22).save(&file).unwrap();
    let bytes = read(&file);
    let header: serde_json::Value = header(&bytes);
    let digest = &header["__metadata__"]["gradus"].as_str().unwrap()[..64];
    let at = bytes.windows(64).position(|window| window == digest.as_bytes()).unwrap();
    let mut blank = bytes.clone();
    blank[at..at + 64].fill(b'0');
    let expected: String = Sha256::digest(&blank).iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(digest, expected);

    for i in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[i] ^= 1 << (i % 8);
        assert!(Document::<f32>::from_bytes(&damaged).is_err(), "byte {i} of {}", bytes.len());
    }
    assert!(Document::<f32>::from_bytes(&bytes).is_ok());
}

/// While a model is saved over another, whoever reads the file finds the old one or the new
/// one, at every moment, and never a part.
///
/// ```math
/// \begin{aligned}
/// &\operatorname{read}(\text{at any moment}) \\
/// &\quad \in \bigl\{ \operatorname{save}(\theta_{\text{old}}),\;
/// \operatorname{save}(\theta_{\text{new}}) \bigr\}
/// \end{aligned}
/// ```
#[test]
fn rename_shows_old_or_new() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("model");
    // Large enough that it takes a while to be written.
    let models = [classifier::<f32>(&[300, 100, 3], 23), classifier(&[300, 100, 3], 24)];
    let files = models.each_ref().map(|m| m.to_document().unwrap().to_bytes());
    models[0].save(&file).unwrap();
    let done = AtomicBool::new(false);
    let mut seen = [0, 0];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for i in 1..=40 {
                models[i % 2].save(&file).unwrap();
            }
            done.store(true, Ordering::SeqCst);
        });
        while !done.load(Ordering::SeqCst) || seen[0] == 0 {
            let bytes = read(&file);
            let which = files.iter().position(|whole| *whole == bytes);
            seen[which.expect("a part of a file")] += 1;
        }
    });
    assert!(seen[1] > 0, "{seen:?}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
}

/// The tutorial's file in NumPy's format: six bytes of magic, two of version, the length H of the
/// header in two, the header, and then the p numbers.
///
/// ```math
/// \begin{aligned}
/// \text{size} &= 10 + H + w\,p \\
/// H &= u_8 + 256\, u_9 \\
/// (10 + H) \bmod 64 &= 0
/// \end{aligned}
/// ```
#[test]
fn npy_header_and_numbers() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("params.npy");
    let network = classifier::<f32>(&[5, 8, 4], 25);
    let p = 5 * 8 + 8 + 8 * 4 + 4;
    network.save_params(&file).unwrap();
    let bytes = read(&file);
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let h = usize::from(bytes[8]) + 256 * usize::from(bytes[9]);
    assert_eq!(bytes.len(), 10 + h + 4 * p);
    assert_eq!((10 + h) % 64, 0);
    let header = String::from_utf8_lossy(&bytes[10..10 + h]);
    for entry in ["'descr': '<f4'", "'fortran_order': False", &format!("'shape': ({p},)")] {
        assert!(header.contains(entry), "{entry} in {header}");
    }
    let mut other = classifier::<f32>(&[5, 8, 4], 26);
    other.load_params(&file).unwrap();
    assert_eq!(bits(other.params()), bits(network.params()));
}

/// The numbers in the tutorial's vector have the order of flattening: all weights, layer by layer and row
/// by row, then all biases. Number q, counted from 0, has its place.
///
/// ```math
/// \begin{gathered}
/// \theta = \operatorname{flatten}(W, b) \\
/// \operatorname{place}\bigl(\theta[q]\bigr) = 10 + H + w\,q
/// \end{gathered}
/// ```
#[test]
fn npy_vector_in_flatten_order() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("params.npy");
    let sizes = [4, 6, 5, 3];
    let mut network = classifier::<f64>(&sizes, 27);
    // Biases that differ from zero and from each other.
    let params = normal(network.params().len(), 1.0, &mut rng(27));
    network.set_params(&params).unwrap();
    network.save_params(&file).unwrap();
    let bytes = read(&file);
    let h = usize::from(bytes[8]) + 256 * usize::from(bytes[9]);
    let at_place = |q: usize| {
        let at = 10 + h + 8 * q;
        f64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
    };
    let products = |layers: usize| (0..layers).map(|l| sizes[l] * sizes[l + 1]).sum::<usize>();
    for i in 0..3 {
        for ((k, j), &weight) in network.weights(i).indexed_iter() {
            assert_eq!(weight, at_place(products(i) + k * sizes[i + 1] + j));
        }
        for (j, &bias) in network.biases(i).indexed_iter() {
            let before: usize = sizes[1..=i].iter().sum();
            assert_eq!(bias, at_place(products(3) + before + j));
        }
    }
}

/// A file is arrays, and a network is its arrays in one formula: ten lines can predict with
/// it, here in plain loops, and in the chapter's Python program where NumPy is present.
///
/// ```math
/// \begin{aligned}
/// \underset{(n,\, s_1)}{\mathstrut A_0} &= f\bigl(\underset{(n,\, s_0)}{\mathstrut X}\;
///   \underset{(s_0,\, s_1)}{\mathstrut W_0}
///   + \underset{(n,\, 1)}{\mathstrut \mathbf 1}\;\underset{(1,\, s_1)}{\mathstrut b_0}\bigr) \\
/// \underset{(n,\, s_2)}{\mathstrut \hat Y} &= \operatorname{softmax}\bigl(
///   \underset{(n,\, s_1)}{\mathstrut A_0}\;\underset{(s_1,\, s_2)}{\mathstrut W_1}
///   + \underset{(n,\, 1)}{\mathstrut \mathbf 1}\;\underset{(1,\, s_2)}{\mathstrut b_1}\bigr)
/// \end{aligned}
/// ```
#[test]
fn file_predicts_without_the_library() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (data, digits) = (root.join("data/mnist"), [0_usize, 1, 8, 17, 4242, 9999]);
    let mnist = Mnist::read(&data).unwrap();
    let few = Subset::<f32>::new(&mnist.train, 0..3000).unwrap();
    let mut network = classifier::<f32>(&[784, 16, 10], 28);
    network.fit(&few, &fit(2, 64, 2), None, &mut silent).unwrap();
    let mut x = Array2::<f32>::zeros((digits.len(), 784));
    mnist.test.gather(&digits, &mut x, &mut Array2::zeros((digits.len(), 10)));
    let (y_hat, labels) = (network.predict(&x).unwrap(), network.predict_labels(&x).unwrap());
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("mnist.safetensors");
    network.save(&file).unwrap();

    let bytes = read(&file);
    let [w0, b0, w1, b1] = ["weights.0", "biases.0", "weights.1", "biases.1"].map(|name| {
        let (begin, end) = place(&bytes, name);
        let numbers = bytes[begin..end].chunks(4);
        numbers.map(|b| f32::from_le_bytes(b.try_into().unwrap()).into()).collect::<Vec<f64>>()
    });
    for (x, y_hat) in x.rows().into_iter().zip(y_hat.rows()) {
        let sum0 = |k| (0..784).map(|j| f64::from(x[j]) * w0[16 * j + k]).sum::<f64>();
        let a: Vec<f64> = (0..16).map(|k| (sum0(k) + b0[k]).tanh()).collect();
        let sum1 = |k| (0..16).map(|j| a[j] * w1[10 * j + k]).sum::<f64>();
        let e: Vec<f64> = (0..10).map(|k| (sum1(k) + b1[k]).exp()).collect();
        for k in 0..10 {
            // The library computes in f32: 784 products, each rounded to 6e-8.
            assert_close(y_hat[k].into(), e[k] / e.iter().sum::<f64>(), 1e-5);
        }
    }

    let numpy = Command::new("python3").args(["-c", "import numpy"]).output();
    if !numpy.is_ok_and(|output| output.status.success()) {
        println!("The Python half was skipped: there is no python3 that can import numpy.");
        return;
    }
    let output = Command::new("python3")
        .arg(root.join("chapters/chapter05/read_model.py"))
        .args([&file, &data])
        .args(digits.map(|digit| digit.to_string()))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("digit")).collect();
    assert_eq!(lines.len(), digits.len(), "{text}");
    for (i, line) in lines.iter().enumerate() {
        let numbers: Vec<f64> =
            line.split([' ', ':', ',']).filter_map(|word| word.parse().ok()).collect();
        let label = mnist.test.labels()[digits[i]];
        assert_eq!(numbers[..2], [digits[i] as f64, labels[i] as f64], "{line}");
        // Printed with four digits.
        assert_close(numbers[2], y_hat[[i, labels[i]]].into(), 0.6e-4);
        assert_eq!(numbers[3..], [f64::from(label)], "{line}");
    }
}

// ---------------------------------------------------------------------------------------
// Small networks and data, and a file seen from outside

const ETA: f64 = 0.1;
const MU: f64 = 0.9;

/// x, multiplied k times: written out, so that 0⁰ is 1.
trait Power {
    fn pow_u(self, k: u32) -> f64;
}

impl Power for f64 {
    fn pow_u(self, k: u32) -> f64 {
        (0..k).fold(1.0, |product, _| product * self)
    }
}

fn classifier<F: Float>(sizes: &[usize], seed: u64) -> NeuralNetwork<F> {
    let momentum = Momentum::new(ETA, MU).unwrap();
    let loss = CategoricalCrossEntropy;
    NeuralNetwork::new(sizes, Tanh, Softmax, loss, momentum, Init::GlorotNormal, seed).unwrap()
}

fn linear(sizes: &[usize], seed: u64) -> NeuralNetwork<f64> {
    let momentum = Momentum::new(ETA, MU).unwrap();
    let output = Elementwise(Identity);
    NeuralNetwork::new(sizes, Relu, output, MeanSquaredError, momentum, Init::Lazar, seed).unwrap()
}

/// Normal inputs, and labels that depend on them a little.
fn toy<F: Float>(n: usize, inputs: usize, classes: usize, seed: u64) -> Samples<F> {
    let mut rng = rng(seed);
    let x = normal((n, inputs), 1.0, &mut rng);
    let random = labels(n, classes, &mut rng);
    let labels: Vec<usize> =
        (0..n).map(|i| if x[[i, 0]] > 0.0 { i % classes } else { random[i] }).collect();
    Samples::new(x.mapv(F::cast), one_hot(&labels, classes).unwrap()).unwrap()
}

fn images(bytes: Array2<u8>, classes: usize, rng: &mut ChaCha8Rng) -> Bytes {
    let labels = labels(bytes.nrows(), classes, rng).iter().map(|&label| label as u8).collect();
    Bytes::new(bytes, labels, 1.0 / 255.0, classes).unwrap()
}

fn fit(epochs: usize, batch_size: usize, threads: usize) -> Fit {
    Fit { batch_size, epochs, threads, seed: 5, ..Fit::default() }
}

/// An observer that breaks a training off after b batches in all.
fn break_after(b: usize) -> impl FnMut(Event) -> ControlFlow<()> {
    let mut batches = 0;
    move |event| {
        batches += usize::from(matches!(event, Event::Batch { .. }));
        if batches >= b { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn bits<F: Float>(params: &Array1<F>) -> Vec<u64> {
    params.iter().map(|x| x.as_f64().to_bits()).collect()
}

/// Samples that remember which of them were asked for.
struct Recorder<F: Float> {
    samples: Samples<F>,
    asked: Mutex<Vec<Vec<usize>>>,
}

impl<F: Float> Recorder<F> {
    fn new(samples: Samples<F>) -> Self {
        Self { samples, asked: Mutex::default() }
    }

    /// The batches of the training: the first request looks at all samples, in order.
    fn batches(&self) -> Vec<Vec<usize>> {
        let asked = self.asked.lock().unwrap();
        assert_eq!(asked[0], (0..self.samples.x().nrows()).collect::<Vec<_>>());
        asked[1..].to_vec()
    }
}

impl<F: Float> Source<F> for Recorder<F> {
    fn len(&self) -> usize {
        self.samples.len()
    }

    fn input_columns(&self) -> usize {
        self.samples.input_columns()
    }

    fn target_columns(&self) -> usize {
        self.samples.target_columns()
    }

    fn gather(&self, rows: &[usize], x: &mut ArrayRef2<F>, y: &mut ArrayRef2<F>) {
        self.asked.lock().unwrap().push(rows.to_vec());
        self.samples.gather(rows, x, y);
    }
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

fn header_length(bytes: &[u8]) -> usize {
    u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize
}

fn header(bytes: &[u8]) -> serde_json::Value {
    serde_json::from_slice(&bytes[8..8 + header_length(bytes)]).unwrap()
}

/// The first byte of a tensor and the one after its last, counted from the header's end.
fn offsets(bytes: &[u8], name: &str) -> [usize; 2] {
    let offsets = header(bytes)[name]["data_offsets"].clone();
    serde_json::from_value(offsets).unwrap()
}

/// The same, counted from the beginning of the file.
fn place(bytes: &[u8], name: &str) -> (usize, usize) {
    let [begin, end] = offsets(bytes, name);
    let start = 8 + header_length(bytes);
    (start + begin, start + end)
}

/// How many bytes the JSON object takes with which `text` begins.
fn end_of_json(text: &[u8]) -> usize {
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    for (i, &byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => quoted = !quoted,
            b'{' if !quoted => depth += 1,
            b'}' if !quoted => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return i + 1;
        }
    }
    panic!("no end of the header");
}
